"""What one check of `tongdao doctor` finds."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `remedy` is empty when all is well, or says what may wait when it is `ok`."""

    check: str
    ok: bool
    found: str
    remedy: str = ""


Check = Callable[[Settings], Awaitable[Finding]]

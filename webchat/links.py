"""Which addresses a message may link to: the web's and Telegram's own, nothing that runs."""

import re
from typing import Any

SAFE = re.compile(r"(?:https?|tg)://[^\s/?#]", re.IGNORECASE)


def safe(url: Any) -> bool:
    return isinstance(url, str) and SAFE.match(url) is not None

"""What the chat server is told when it starts."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WebchatConfig:
    """Settings of one chat server. `public_url` has no trailing slash; `clock` gives epoch seconds.

    `faults` lets the operator's side make this server fail: for tests, never where people are.
    """

    data_dir: Path
    public_url: str
    operator_token: str
    flood_limits: bool = False
    faults: bool = False
    max_upload_bytes: int = 20 * 1024 * 1024
    trusted_proxies: tuple[str, ...] = ()
    sign_up_per_hour_per_ip: int = 60
    clock: Callable[[], float] = time.time

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")

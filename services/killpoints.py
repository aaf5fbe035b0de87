"""Named points at which a kill test may end the process: ``TONGDAO_KILL_AT=after_sending:3``.

`reach` costs one comparison where the variable is unset, as it always is outside of tests.
The hit is written to the file that ``TONGDAO_KILL_LOG`` names, so that a point never reached fails its test.
"""

import os
import signal
from pathlib import Path

POINTS = (
    "after_inbox_commit",
    "before_inbox_done",
    "after_materialise",
    "before_dispatch_commit",
    "after_dispatch_commit",
    "before_kick_commit",
    "before_claim_commit",
    "after_sending",
    "after_server_acted",
    "before_recording",
    "before_record_commit",
    "after_record_commit",
    "before_close_commit",
    "after_vote_commit",
    "before_flush_commit",
    "after_flush_commit",
    "before_poll_closed",
)

_armed, _, _nth = os.environ.get("TONGDAO_KILL_AT", "").partition(":")
_hits = 0


def reach(point: str) -> None:
    """End this process with SIGKILL if `point` is armed and this is the armed hit."""
    if point != _armed:
        return
    global _hits  # noqa: PLW0603 - one counter a process is the whole state
    _hits += 1
    if _hits < int(_nth or 1):
        return
    log = os.environ.get("TONGDAO_KILL_LOG")
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{point}\n")
    os.kill(os.getpid(), signal.SIGKILL)

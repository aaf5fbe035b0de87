"""What moved of a slice lately, in its own row: counted in the UPDATE that counts outcomes, summed with the counters.

In the slice and not in a row of the dispatch, which all workers would wait for.
"""

from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, and_, bindparam, case, func, or_

from domain.throughput import Moved, window_of
from storage.tables import metadata

slice_ = metadata.tables["slice"]


def counted() -> dict[Any, ColumnElement[Any]]:
    """Return what a slice's row becomes when `change` answers come in, at `epoch` within `window`."""
    window, change = bindparam("window", type_=Integer), bindparam("change", type_=Integer)
    same, next_ = _in(window, window + 1), slice_.c.moved_in == window - 1
    return {
        slice_.c.moved_in: case((same, slice_.c.moved_in), else_=window),
        slice_.c.moved: case((same, slice_.c.moved + change), else_=change),
        slice_.c.moved_before: case((same, slice_.c.moved_before), (next_, slice_.c.moved), else_=0),
        slice_.c.moving_since: case(
            (or_(same, next_), slice_.c.moving_since), else_=bindparam("epoch", type_=Float)
        ),
    }


def given(epoch: float) -> dict[str, Any]:
    """Return the parameters of `counted` that say when it is."""
    return {"epoch": epoch, "window": window_of(epoch)}


def sums(epoch: float) -> tuple[ColumnElement[Any], ...]:
    """Return the columns that `moved_of` reads, of slices that are grouped."""
    window = window_of(epoch)
    latest, last = _in(window, window + 1), slice_.c.moved_in == window - 1
    return (
        func.sum(case((latest, slice_.c.moved), else_=0)).label("moved_now"),
        func.sum(case((latest, slice_.c.moved_before), (last, slice_.c.moved), else_=0)).label(
            "moved_before"
        ),
        func.min(case((or_(latest, last), slice_.c.moving_since))).label("moving_since"),
    )


def moved_of(row: Any) -> Moved:
    return Moved(int(row.moved_now or 0), int(row.moved_before or 0), row.moving_since)


def recent(epoch: float) -> ColumnElement[bool]:
    """Say of a slice that something of it moved in this window or the one before."""
    return _in(window_of(epoch) - 1, window_of(epoch) + 1)


def _in(first: Any, last: Any) -> ColumnElement[bool]:
    """Take a clock that is ahead of ours, across the end of a window, as in ours; one far ahead counts for nothing."""
    return and_(slice_.c.moved_in >= first, slice_.c.moved_in <= last)

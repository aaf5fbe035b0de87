"""Counting a poll: ballots become cells of five or more, and every result told is a sum of whole cells.

So nothing under five is ever shown, and no subtraction down the tree reveals it: what remains when one area's
result is taken from another's is again a sum of whole cells (DOMAIN.md 4.5).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.organisations import chain_of, contains
from domain.polls import SMALLEST, chosen_in

Cells = Mapping[str, "Count"]
"""Counts by the path of an organisation; a person is counted in one cell."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many voted, and how often each option was chosen."""

    voted: int
    options: tuple[int, ...]

    def __add__(self, other: "Count") -> "Count":
        options = tuple(a + b for a, b in zip(self.options, other.options, strict=True))
        return Count(self.voted + other.voted, options)

    def percent(self, number: int) -> int:
        """Return how many of a hundred voters chose an option, rounded half up."""
        return (200 * self.options[number] + self.voted) // (2 * self.voted) if self.voted else 0


def nothing(options: int) -> Count:
    return Count(0, (0,) * options)


def ballot(mask: int, options: int, times: int = 1) -> Count:
    """Count one choice, or the same choice of several people."""
    chosen = chosen_in(mask)
    return Count(times, tuple(times * (number in chosen) for number in range(options)))


def together(counts: Iterable[Count], options: int) -> Count:
    total = nothing(options)
    for count in counts:
        total += count
    return total


def ripe(waiting: Mapping[str, int]) -> tuple[str, ...]:
    """Return the areas whose waiting ballots may be counted before closing.

    Each is a group of five or more, and five or more stay behind: they are whom the last ones at closing join.
    """
    left = sum(waiting.values())
    areas: list[str] = []
    for area in sorted(waiting, key=lambda each: (-waiting[each], each)):
        if waiting[area] >= SMALLEST and left - waiting[area] >= SMALLEST:
            areas.append(area)
            left -= waiting[area]
    return tuple(areas)


def gather(loose: Cells, top: str) -> dict[str, Count]:
    """Return groups of five or more that hold all of `loose`, each as deep in the tree as it goes.

    What is too small joins what is too small beside it at the organisation above; what has moved out from
    under `top` counts there. Those who are still too few at the top take the smallest group with them.
    Fewer than five in all are no group: nothing is returned.
    """
    rising: dict[str, Count] = {}
    for path, count in loose.items():
        if count.voted:
            _put(rising, path if contains(top, path) else top, count)
    groups: dict[str, Count] = {}
    for depth in range(max(map(_depth, rising), default=0), 0, -1):
        for path in sorted(each for each in rising if _depth(each) == depth):
            count = rising.pop(path)
            if count.voted >= SMALLEST:
                _put(groups, path, count)
            elif path == top:
                _join_smallest(groups, count, top)
            else:
                _put(rising, _above(path), count)
    return groups


def within(cells: Cells, path: str) -> Count | None:
    """Return the result of an area: the cells inside it; `None` where there are none to tell."""
    inside = [count for cell, count in cells.items() if contains(path, cell)]
    return together(inside, len(inside[0].options)) if inside else None


def _join_smallest(groups: dict[str, Count], count: Count, top: str) -> None:
    if groups:
        smallest = min(groups, key=lambda each: (groups[each].voted, each))
        _put(groups, top, groups.pop(smallest) + count)


def _put(counts: dict[str, Count], path: str, count: Count) -> None:
    counts[path] = counts[path] + count if path in counts else count


def _depth(path: str) -> int:
    return len(chain_of(path))


def _above(path: str) -> str:
    return path[: path.rstrip("/").rfind("/") + 1]

"""Organisations of a roster: from rows in any order to one tree, grown onto the one that stands.

A place is a number here: that of an organisation that stands, or, negative, the line of one to come.
A row is the organisation of its number; without one, that of its name below its parent. So nothing moves
unless a number says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from domain.organisations import Level
from domain.roster import Bad, Deed, OrganisationLine, Reason
from domain.roster_places import Places, steps
from domain.roster_values import kind_by_name

_LEVELS = tuple(Level)


@dataclass(frozen=True, slots=True)
class Grown:
    """What becomes of a row. A parent that is itself to come is named by its line."""

    row: OrganisationLine
    deed: Deed
    subject_id: int | None
    parent_id: int | None
    parent_line: int | None
    depth: int
    kind: str
    level: str


class _Wait(Exception):  # noqa: N818 - a fact
    """What this row needs is not settled yet."""


class _Wrong(Exception):  # noqa: N818 - a fact
    def __init__(self, reason: Reason, what: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.what = what


def grow(rows: Iterable[OrganisationLine], places: Places, above: str = "") -> list[Grown | Bad]:
    """Say what becomes of each row; the order of rows does not matter. `above` names the root's own parent."""
    return _Growth(rows, places, above).run()


class _Growth:
    def __init__(self, rows: Iterable[OrganisationLine], places: Places, above: str) -> None:
        self._places = places
        self._above = above
        self._rows = {row.line: row for row in sorted(rows, key=lambda row: row.line)}
        self._bad: dict[int, Bad] = {}
        self._place: dict[int, int] = {}
        self._parent: dict[int, int | None] = {}
        self._of_name: dict[str, list[int]] = defaultdict(list)
        self._of_number: dict[str, list[int]] = defaultdict(list)
        self._children: dict[tuple[int, str], list[int]] = defaultdict(list)
        self._comes: dict[int, int] = {}

    def run(self) -> list[Grown | Bad]:
        self._leave_out_repeated()
        self._number()
        self._settle()
        self._agree()
        while self._contradict():
            pass
        done: dict[int, Grown] = {}
        for line in sorted(self._good(), key=self._depth):
            self._finish(line, done)
        return [self._bad.get(line) or done[line] for line in self._rows]

    def _good(self) -> list[int]:
        return [line for line in self._rows if line not in self._bad]

    def _refuse(self, line: int, reason: Reason, what: str = "") -> None:
        self._bad.setdefault(line, Bad(line, reason, what))

    def _leave_out_repeated(self) -> None:
        """Of lines that say the same, the first counts."""
        first: dict[OrganisationLine, int] = {}
        for line, row in self._rows.items():
            before = first.setdefault(replace(row, line=0), line)
            if before != line:
                self._refuse(line, Reason.REPEATED, str(before))

    def _number(self) -> None:
        """Find who is meant by number."""
        for line in self._good():
            row = self._rows[line]
            self._of_name[row.name].append(line)
            if row.number:
                self._of_number[row.number].append(line)
        for number, lines in self._of_number.items():
            known = self._places.by_number.get(number, ())
            for line in lines:
                if len(lines) > 1:
                    self._refuse(line, Reason.CONFLICT, _others(lines, line))
                elif len(known) > 1:
                    self._refuse(line, Reason.AMBIGUOUS, number)
                elif known:
                    self._place[line] = known[0]

    def _settle(self) -> None:
        """Settle rows whose parent is settled, until no more can be."""
        waiting = self._good()
        while waiting:
            still = [line for line in waiting if not self._try(line)]
            if len(still) == len(waiting):
                for line in still:
                    self._refuse(line, Reason.CIRCLE, self._rows[line].parent)
                return
            waiting = still

    def _try(self, line: int) -> bool:
        try:
            parent = self._parent_of(line)
        except _Wait:
            return False
        except _Wrong as wrong:
            self._refuse(line, wrong.reason, wrong.what)
            return True
        if line not in self._place:
            self._place[line] = self._match(line, parent)
        self._parent[line] = parent
        if parent is not None:
            self._children[parent, self._rows[line].name].append(line)
        return True

    def _match(self, line: int, parent: int | None) -> int:
        """Find the organisation of this name below its parent that no number claims; else it is to come."""
        if parent is None:
            return self._places.root.id
        row = self._rows[line]
        beside = (self._places.nodes[each] for each in self._places.below.get((parent, row.name), ()))
        found = [node.id for node in beside if node.name == row.name and self._may_be(row, node.number)]
        return found[0] if len(found) == 1 else -line

    def _may_be(self, row: OrganisationLine, number: str) -> bool:
        """Say whether a row can be the organisation of this number: its own is no other, nor is another row's."""
        return not number or number == row.number or not (row.number or number in self._of_number)

    def _parent_of(self, line: int) -> int | None:
        row, root = self._rows[line], self._places.root
        place = self._place.get(line)
        at_the_top = row.parent in {"", self._above}
        if place == root.id and not at_the_top:
            raise _Wrong(Reason.ROOT_STAYS, row.parent)
        if place == root.id or (place is None and row.name == root.name and at_the_top):
            return None
        if row.parent:
            return self._find(row.parent, line)
        if place is not None:
            return self._places.nodes[place].parent_id
        raise _Wrong(Reason.PARENT_MISSING)

    def _find(self, text: str, line: int) -> int:
        found, spoilt = self._named(text, line)
        if not found:
            found, spoilt = self._along(steps(text), line, spoilt=spoilt)
        if len(found) == 1:
            return found.pop()
        if found:
            raise _Wrong(Reason.PARENT_AMBIGUOUS, text)
        raise _Wrong(Reason.PARENT_BAD if spoilt else Reason.PARENT_UNKNOWN, text)

    def _named(self, text: str, line: int) -> tuple[set[int], bool]:
        """Return the places of this number or name, and whether a bad row has it too."""
        for known, coming in (
            (self._places.by_number, self._of_number),
            (self._places.by_name, self._of_name),
        ):
            lines = [each for each in coming.get(text, ()) if each != line]
            found = set(known.get(text, ())) | self._places_of(lines)
            spoilt = any(each in self._bad for each in lines)
            if found or spoilt:
                return found, spoilt
        return set(), False

    def _along(self, names: Sequence[str], line: int, *, spoilt: bool) -> tuple[set[int], bool]:
        if len(names) < 2:  # noqa: PLR2004 - one name is no path
            return set(), spoilt
        here, spoilt = self._named(names[0], line)
        for name in names[1:]:
            self._places_of(each for each in self._of_name.get(name, ()) if each != line)
            here = {
                child
                for place in here
                for child in (
                    *self._places.below.get((place, name), ()),
                    *(self._place[each] for each in self._children.get((place, name), ()) if each != line),
                )
            }
        return here, spoilt

    def _places_of(self, lines: Iterable[int]) -> set[int]:
        found = set()
        for line in lines:
            if line in self._bad:
                continue
            if line not in self._parent:
                raise _Wait
            found.add(self._place[line])
        return found

    def _agree(self) -> None:
        """Refuse rows that mean the same organisation and say different things of it."""
        same: dict[object, list[int]] = defaultdict(list)
        for line in self._good():
            place = self._place[line]
            key = place if place > 0 else (self._parent[line], self._rows[line].name)
            same[key].append(line)
        for lines in same.values():
            if len(lines) > 1:
                for line in lines:
                    self._refuse(line, Reason.CONFLICT, _others(lines, line))

    def _contradict(self) -> bool:
        """Refuse what cannot stand beside the rest; leaving that out can make more fall."""
        before = len(self._bad)
        good = self._good()
        comes = self._comes = {self._place[line]: line for line in good}
        for line in good:
            parent = self._parent[line]
            if parent is not None and parent < 0 and -parent in self._bad:
                self._refuse(line, Reason.PARENT_BAD, self._rows[line].parent)
            elif self._circles(line, comes):
                self._refuse(line, Reason.CIRCLE, self._rows[line].parent)
            elif self._doubled(line, comes):
                self._refuse(line, Reason.CONFLICT)
        if len(self._bad) == before:
            for line in good:
                place = self._place[line]
                if place < 0 and not self._kind(line):
                    self._refuse(line, Reason.KIND_MISSING)
        return len(self._bad) > before

    def _parent_place(self, place: int, comes: dict[int, int]) -> int | None:
        if place in comes:
            line = comes[place]
            parent = self._parent[line]
            if parent is not None or place == self._places.root.id:
                return parent
        return None if place == self._places.root.id else self._places.nodes[place].parent_id

    def _circles(self, line: int, comes: dict[int, int]) -> bool:
        own = self._place[line]
        seen = {own}
        here = self._parent[line]
        while here is not None and not (here < 0 and here not in comes):
            if here in seen:
                return here == own
            seen.add(here)
            here = self._parent_place(here, comes)
        return False

    def _doubled(self, line: int, comes: dict[int, int]) -> bool:
        """Say whether an organisation that stays has this name below this parent already."""
        parent, name, own = self._parent[line], self._rows[line].name, self._place[line]
        if parent is None:
            return False
        beside = self._places.below.get((parent, name), ())
        return any(
            other != own
            and self._places.nodes[other].name == name
            and (other not in comes or self._stays(comes[other], parent, name))
            for other in beside
        )

    def _stays(self, line: int, parent: int, name: str) -> bool:
        return self._parent[line] == parent and self._rows[line].name == name

    def _depth(self, line: int) -> int:
        depth, here = 0, self._place[line]
        while (parent := self._parent_place(here, self._comes)) is not None:
            depth, here = depth + 1, parent
        return depth

    def _kind(self, line: int) -> str:
        row = self._rows[line]
        return row.kind or kind_by_name(row.name)

    def _finish(self, line: int, done: dict[int, Grown]) -> None:
        row, place, parent = self._rows[line], self._place[line], self._parent[line]
        known = self._places.nodes.get(place)
        if known is None:
            level = row.level or self._level_below(parent, done)
            deed, kind = Deed.CREATE, self._kind(line)
        else:
            deed, kind, level = self._deed(row, place, parent), row.kind, row.level
        done[line] = Grown(
            row=row,
            deed=deed,
            subject_id=place if place > 0 else None,
            parent_id=parent if parent is not None and parent > 0 else None,
            parent_line=-parent if parent is not None and parent < 0 else None,
            depth=self._depth(line),
            kind=kind,
            level=level,
        )

    def _deed(self, row: OrganisationLine, place: int, parent: int | None) -> Deed:
        known = self._places.nodes[place]
        if parent is not None and parent != known.parent_id:
            return Deed.MOVE
        says = ("name", "number", "name_en", "kind", "level", "mode", "contact")
        differs = any(getattr(row, each) not in ("", getattr(known, each)) for each in says)
        return Deed.CHANGE if differs else Deed.KEEP

    def _level_below(self, parent: int | None, done: dict[int, Grown]) -> str:
        if parent is None:
            return str(_LEVELS[0])
        above = self._places.nodes[parent].level if parent > 0 else ""
        if parent in self._comes:
            above = done[self._comes[parent]].level or above
        at = _LEVELS.index(Level(above)) if above else 0
        return str(_LEVELS[min(at + 1, len(_LEVELS) - 1)])


def _others(lines: Sequence[int], line: int) -> str:
    return ", ".join(str(each) for each in lines if each != line)

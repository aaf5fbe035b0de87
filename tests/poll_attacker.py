"""An attacker who holds everything that a bridge keeps, and tries to learn how a person voted.

They know who took part, as `participation` says. They know nothing of the program: whatever stands anywhere is
a record of fields, and what tells of a person is tried against the truth, which only the test knows: a link is
found where an attribute agrees with how people voted far too well for chance (Fisher's exact test, with as many
trials as were made taken into account).

    in one record      what stands in records that name the person (a mask in a log line, an update not wiped)
    by order           records that name nobody, in any of their orders, beside persons in any of theirs
    by equal values    records that name nobody share a rare value with records that name somebody (a token, `xmin`)
    by time            records that name nobody are nearest in time to records that name somebody
    by a mark          a record that names somebody holds what only a vote in the making looks like, be it one
"""

import bisect
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, cached_property
from math import comb
from typing import Any

from tests.poll_evidence import WORD, XMIN, Record

CHANCE = 1e-6
"""How often an attack may see a link where there is none, all its trials together."""
LARGE = 100_000
LONG = 8
RARE = 3
FEWEST = 12
PLACE = "(place)"
Truth = Mapping[int, bool]


@dataclass(frozen=True)
class Finding:
    """A link between people and what they chose."""

    how: str
    where: str
    chance: float


@dataclass
class Person:
    """What names a person: numbers, and words."""

    number: int
    names: tuple[str, ...]


@dataclass
class Attack:
    """One attempt on a heap of evidence; the truth is asked only for whether an attribute tells it."""

    people: Sequence[Person]
    truth: Truth
    records: Sequence[Record]
    marks: re.Pattern[str] | None = None
    trials: int = 0
    _best: list[Finding] = field(default_factory=list)

    def run(self) -> list[Finding]:
        """Return the links found, the surest first."""
        self._in_one_record()
        self._by_order()
        self._by_equal_values()
        self._by_time()
        self._by_a_mark()
        found = [each for each in self._best if each.chance * self.trials < CHANCE]
        return sorted(found, key=lambda each: each.chance)

    # who and what a record tells of

    @cached_property
    def _person_of_name(self) -> dict[str, int]:
        return {name: person.number for person in self.people for name in person.names}

    @cached_property
    def _name(self) -> re.Pattern[str]:
        names = sorted(self._person_of_name, key=len, reverse=True)
        return re.compile("|".join(rf"(?<!\d){name}(?!\d)" for name in map(re.escape, names)))

    def _persons(self, record: Record) -> set[int]:
        texts = (str(value) for _, value in record.fields)
        return {self._person_of_name[name] for text in texts for name in self._name.findall(text)}

    @cached_property
    def _named(self) -> dict[str, list[tuple[int, Record]]]:
        """Records that name one person who took part, by source."""
        found: dict[str, list[tuple[int, Record]]] = defaultdict(list)
        for record, persons in self._told:
            if len(persons) == 1 and (person := next(iter(persons))) in self.truth:
                found[record.source].append((person, record))
        return found

    @cached_property
    def _nameless(self) -> dict[str, list[Record]]:
        """Records that name nobody, by source."""
        found: dict[str, list[Record]] = defaultdict(list)
        for record, persons in self._told:
            if not persons:
                found[record.source].append(record)
        return found

    @cached_property
    def _told(self) -> list[tuple[Record, set[int]]]:
        return [(record, self._persons(record)) for record in self.records]

    # the five ways

    def _in_one_record(self) -> None:
        for source, named in self._named.items():
            often: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
            for person, record in named:
                often["", ""][person] += 1
                for path, value in record.fields:
                    for word in words(value):
                        often[path, word][person] += 1
            for (path, word), times in often.items():
                for least in sorted(set(times.values())):
                    attribute = {person: times.get(person, 0) >= least for person in self.truth}
                    self._try("in one record", f"{source} {path}={word!r} x{least}", attribute.items())

    def _by_order(self) -> None:
        queues = dict(self._queues())
        for source, records in self._nameless.items():
            if len(records) != len(self.truth):
                continue
            for path, word in sorted(_labels(records)):
                for order in _orders(records):
                    line = [_tells(each, path, word) for each in _sorted(records, order)]
                    for where, queue in queues.items():
                        name = f"{source} {path}={word!r} by {order} beside {where}"
                        self._try("by order", name, zip(queue, line, strict=True))

    def _queues(self) -> Iterator[tuple[str, list[int]]]:
        """Yield everybody who took part, by each order of what names them: by the first such record, the second ..."""
        for source, named in self._named.items():
            person_of = {id(record): person for person, record in named}
            least = min(Counter(person_of.values()).get(person, 0) for person in self.truth)
            for order in _orders([record for _, record in named]) if least else ():
                line = [person_of[id(each)] for each in _sorted([record for _, record in named], order)]
                for nth in range(least):
                    yield f"{source} by {order}, {nth + 1}", _nth_of_each(line, nth)
                    yield f"{source} by {order}, {nth + 1} from the end", _nth_of_each(line[::-1], nth)[::-1]

    def _by_equal_values(self) -> None:
        holders: dict[Any, list[tuple[str, int]]] = defaultdict(list)
        for source, named in self._named.items():
            for person, record in named:
                for where, value in _rare(record):
                    holders[value].append((f"{source}.{where}", person))
        for source, records in self._nameless.items():
            pairs: dict[tuple[str, str], list[tuple[int, Record]]] = defaultdict(list)
            for record in records:
                for where, value in _rare(record):
                    held = set(holders.get(value, ()))
                    if 0 < len(held) <= RARE * 4:
                        for there, person in held:
                            pairs[where, there].append((person, record))
            for (where, there), joined in pairs.items():
                self._try_each_label("by equal values", f"{source}.{where} = {there}", joined)

    def _by_time(self) -> None:
        moments = {where: sorted(found) for where, found in self._moments().items() if len(found) >= FEWEST}
        for source, records in self._nameless.items():
            timed: dict[str, list[tuple[float, Record]]] = defaultdict(list)
            for record in records:
                for path, at in _times(record):
                    timed[path].append((at, record))
            for path, ours in timed.items():
                for where, theirs in moments.items():
                    if len(ours) >= FEWEST:
                        joined = [(_nearest(theirs, at), record) for at, record in ours]
                        self._try_each_label("by time", f"{source}.{path} near {where}", joined)

    def _by_a_mark(self) -> None:
        for record, persons in self._told:
            for path, value in record.fields if persons and self.marks else ():
                if self.marks and self.marks.search(str(value)):
                    self._best.append(Finding("by a mark", f"{record.source} {path}={value!r}"[:200], 0.0))

    def _moments(self) -> dict[str, list[tuple[float, int]]]:
        found: dict[str, list[tuple[float, int]]] = defaultdict(list)
        for source, named in self._named.items():
            for person, record in named:
                for path, at in _times(record):
                    found[f"{source}.{path}"].append((at, person))
        return found

    # chance

    def _try_each_label(self, how: str, where: str, joined: Sequence[tuple[int, Record]]) -> None:
        if len(joined) < FEWEST:
            return
        for path, word in _labels([record for _, record in joined]):
            told = [(person, _tells(record, path, word)) for person, record in joined]
            self._try(how, f"{where}: {path}={word!r}", told)

    def _try(self, how: str, where: str, told: Iterable[tuple[int, bool]]) -> None:
        """Ask whether an attribute of people agrees with how they voted."""
        table = [[0, 0], [0, 0]]
        for person, attribute in told:
            table[attribute][self.truth[person]] += 1
        self.trials += 1
        chance = fisher(*table[0], *table[1])
        if chance < CHANCE:
            self._best.append(Finding(how, where, chance))


@cache
def fisher(a: int, b: int, c: int, d: int) -> float:
    """Return how probable so uneven a table of two lines is by chance (two-sided, Fisher's exact test)."""
    total, row, column = a + b + c + d, a + b, a + c
    ways = comb(total, column)
    seen = comb(row, a) * comb(total - row, c)
    low, high = max(0, column - (total - row)), min(row, column)
    each = (comb(row, n) * comb(total - row, column - n) for n in range(low, high + 1))
    return sum(number for number in each if number <= seen) / ways


@cache
def words(value: Any) -> set[str]:
    """Return what a value can be told by: itself, and the words in it."""
    text = str(value)
    return {text[:200], *WORD.findall(text)} if isinstance(value, str) else {text}


def _nth_of_each(line: Sequence[int], nth: int) -> list[int]:
    """Return who comes for the nth time, in that order."""
    often: Counter[int] = Counter()
    found = []
    for person in line:
        if often[person] == nth:
            found.append(person)
        often[person] += 1
    return found


def _labels(records: Sequence[Record]) -> set[tuple[str, str]]:
    """Return the words that some of these records have and others have not."""
    often: dict[tuple[str, str], int] = defaultdict(int)
    for record in records:
        for label in {(path, word) for path, value in record.fields for word in words(value)}:
            often[label] += 1
    return {label for label, times in often.items() if FEWEST // 2 <= times < len(records)}


def _tells(record: Record, path: str, word: str) -> bool:
    return any(path == there and word in words(value) for there, value in record.fields)


def _orders(records: Sequence[Record]) -> list[str]:
    """Name the orders in which records can be put: as they lie, by transaction, and by each column of theirs."""
    shared = set.intersection(*({path for path, value in each.fields if _sorts(value)} for each in records))
    return [PLACE, *([XMIN] if records[0].xmin is not None else []), *sorted(shared)]


def _sorted(records: Sequence[Record], order: str) -> list[Record]:
    def key(record: Record) -> Any:
        if order in {PLACE, XMIN}:
            return str(record.place if order == PLACE else record.xmin).zfill(20)
        return next(_comparable(value) for path, value in record.fields if path == order and _sorts(value))

    return sorted(records, key=key)


def _sorts(value: Any) -> bool:
    return isinstance(value, int | float | datetime | date | str)


def _comparable(value: Any) -> str:
    if isinstance(value, int | float):
        return f"{float(value):030.6f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _rare(record: Record) -> Iterator[tuple[str, Any]]:
    if record.xmin is not None:
        yield XMIN, (XMIN, record.xmin)
    for path, value in record.fields:
        if (isinstance(value, str) and len(value) >= LONG) or (isinstance(value, int) and value >= LARGE):
            yield path, str(value)
        elif isinstance(value, datetime) and _fine(value):
            yield path, value.timestamp()


def _times(record: Record) -> Iterator[tuple[str, float]]:
    for path, value in record.fields:
        if isinstance(value, datetime) and _fine(value):
            yield path, value.timestamp()


def _fine(value: datetime) -> bool:
    """Say whether a time is finer than a day."""
    return (value.hour, value.minute, value.second, value.microsecond) != (0, 0, 0, 0)


def _nearest(moments: Sequence[tuple[float, int]], at: float) -> int:
    place = bisect.bisect_left(moments, (at, 0))
    near = moments[max(0, place - 1) : place + 1]
    return min(near, key=lambda each: abs(each[0] - at))[1]

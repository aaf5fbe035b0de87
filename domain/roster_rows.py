"""Rows of a roster: from the cells of a line to a member or an organisation, or to the reason why not."""

from collections.abc import Sequence
from datetime import date

from domain import roster_values as values
from domain.roster import Bad, Column, MemberLine, OrganisationLine, Plan, Reason, RosterKind
from domain.roster_values import Unreadable, Value

Line = MemberLine | OrganisationLine


def read(
    kind: RosterKind, line: int, cells: Sequence[Value], plan: Plan, today: date
) -> MemberLine | OrganisationLine | Bad:
    """Read one line by the plan of its columns."""
    row = _Row(cells, plan)
    try:
        return _member(line, row, today) if kind is RosterKind.MEMBERS else _organisation(line, row)
    except Unreadable as unreadable:
        return Bad(line, unreadable.reason, unreadable.what)


class _Row:
    def __init__(self, cells: Sequence[Value], plan: Plan) -> None:
        self._cells = cells
        self._plan = plan

    def __getitem__(self, column: Column) -> Value:
        index = self._plan.get(column, -1)
        return self._cells[index] if 0 <= index < len(self._cells) else None


def _member(line: int, row: _Row, today: date) -> MemberLine:
    name = values.name(row[Column.NAME])
    organisation = values.place(row[Column.ORGANISATION])
    if not organisation:
        raise Unreadable(Reason.ORGANISATION_MISSING)
    return MemberLine(
        line=line,
        name=name,
        organisation=organisation,
        number=values.short(row[Column.NUMBER]),
        phone=values.phone(row[Column.PHONE]),
        standing=values.standing(row[Column.STANDING]),
        joined=values.day(row[Column.JOINED], today),
    )


def _organisation(line: int, row: _Row) -> OrganisationLine:
    return OrganisationLine(
        line=line,
        name=values.name(row[Column.NAME]),
        parent=values.place(row[Column.PARENT]),
        number=values.short(row[Column.NUMBER]),
        name_en=values.short(row[Column.NAME_EN]),
        kind=values.kind(row[Column.KIND]),
        level=values.level(row[Column.LEVEL]),
        mode=values.mode(row[Column.MODE]),
        contact=values.short(row[Column.CONTACT]),
    )

"""Rows of a roster on their way into the staging table: places found, phones sealed."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Any

from domain.phones import hint, normalised
from domain.roster import Bad, MemberLine, OrganisationLine, Reason
from domain.roster_places import Places
from domain.roster_rows import Line
from domain.roster_tree import Grown
from storage.sealing import Sealer

PHONE = "member.phone"
_EMPTY: dict[str, Any] = {
    "sum": None,
    "reason": "",
    "what": "",
    "organisation_id": None,
    "place": "",
    "number": "",
    "name": "",
    "phone_sealed": None,
    "phone_index": None,
    "phone_hint": "",
    "standing": "",
    "joined": None,
    "name_en": "",
    "kind": "",
    "level": "",
    "mode": "",
    "contact": "",
}


def staged(
    import_id: int, lines: Iterable[Line | Bad], places: Places, sealer: Sealer
) -> list[dict[str, Any]]:
    """Return rows for the staging table. A phone is never in it in the clear."""
    return [
        {**_EMPTY, "import_id": import_id, "line": each.line, **_values(each, places, sealer)}
        for each in lines
    ]


def grown(found: Grown | Bad) -> dict[str, Any]:
    """Return what a row of an organisation turned out to be."""
    if isinstance(found, Bad):
        return {"line": found.line, "reason": found.reason, "what": found.what}
    return {
        "line": found.row.line,
        "deed": found.deed,
        "subject_id": found.subject_id,
        "organisation_id": found.parent_id,
        "parent_line": found.parent_line,
        "depth": found.depth,
        "kind": found.kind,
        "level": found.level,
    }


def organisation_lines(rows: Sequence[Any]) -> list[OrganisationLine]:
    """Read staged rows of organisations again."""
    return [
        OrganisationLine(
            line=each.line,
            name=each.name,
            parent=each.place,
            number=each.number,
            name_en=each.name_en,
            kind=each.kind,
            level=each.level,
            mode=each.mode,
            contact=each.contact,
        )
        for each in rows
    ]


def _values(line: Line | Bad, places: Places, sealer: Sealer) -> dict[str, Any]:
    if isinstance(line, Bad):
        return {"reason": line.reason, "what": line.what}
    if isinstance(line, OrganisationLine):
        return {
            "place": line.parent,
            "number": line.number,
            "name": line.name,
            "name_en": line.name_en,
            "kind": line.kind,
            "level": line.level,
            "mode": line.mode,
            "contact": line.contact,
        }
    return _member(line, places, sealer)


def _member(line: MemberLine, places: Places, sealer: Sealer) -> dict[str, Any]:
    found = places.find(line.organisation)
    if len(found) != 1:
        reason = Reason.ORGANISATION_AMBIGUOUS if found else Reason.ORGANISATION_UNKNOWN
        return {"reason": reason, "what": line.organisation}
    values: dict[str, Any] = {
        "sum": sealer.blind_index(repr(astuple(line)[1:]))[:16],
        "organisation_id": found[0],
        "number": line.number,
        "name": line.name,
        "standing": line.standing,
        "joined": line.joined,
    }
    if line.phone:
        phone = normalised(line.phone)
        values["phone_sealed"] = sealer.seal(phone.encode(), PHONE)
        values["phone_index"] = sealer.blind_index(phone)
        values["phone_hint"] = hint(phone)
    return values

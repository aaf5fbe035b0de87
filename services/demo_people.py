"""The members of the demo: how many belong where, who holds which role, in rows ready to be written."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from domain.members import MemberStatus, Standing
from domain.permissions import Role
from domain.phones import hint, normalised
from services.demo_names import people
from services.demo_tree import CITY_ID, Node, Tree
from storage.sealing import Sealer

MEMBERS = 1_000_000
MEMBER, BRANCH_SECRETARY, CITY_SECRETARY = 1, 2, 3
NAMED = {MEMBER: "王芳", BRANCH_SECRETARY: "李建国", CITY_SECRETARY: "周慧敏"}
FIRST_JOINED = date(1985, 7, 1)
SEALED_PHONES = 20_000
"""Who comes after has no phone, as many records do: sealing a million of them would take most of the time."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A role that a member holds at an organisation, and the seat it comes with."""

    member_id: int
    organisation_id: int
    role: Role
    post: str
    sending_unit: str = ""


def head_counts(tree: Tree, scale: int) -> dict[int, int]:
    """Share the members out by weight: together they are exactly as many as the scale says."""
    homes = [node for node in tree.nodes if node.weight]
    total, whole = max(len(homes) * 3, MEMBERS // scale), sum(node.weight for node in homes)
    counts, given, weight = {}, 0, 0.0
    for node in homes:
        weight += node.weight
        upto = round(total * weight / whole)
        counts[node.id] = upto - given
        given = upto
    return counts


def first_homes(tree: Tree) -> list[int]:
    """Return the homes of the people the demo is seen through: a branch in the first county, twice, and the city's."""
    branch = tree.communities[0]
    return [branch, branch, tree.offices[CITY_ID]]


def homes(tree: Tree, scale: int) -> Iterator[int]:
    """Yield the home of each member in order of their ids."""
    counts = head_counts(tree, scale)
    for home in first_homes(tree):
        counts[home] -= 1
        yield home
    for home, count in counts.items():
        for _ in range(count):
            yield home


def rows(
    chance: random.Random, numbers: range, homes_of: list[int], sealer: Sealer, today: date
) -> list[dict[str, Any]]:
    """Return the rows of a run of members."""
    names = people(chance, len(numbers))
    standings = chance.choices((Standing.FULL, Standing.PROBATIONARY), (96, 4), k=len(numbers))
    mobile = chance.choices((False, True), (95, 5), k=len(numbers))
    days = (today - FIRST_JOINED).days
    ages = [int(days * chance.random()) for _ in numbers]
    found = []
    for number, name, home, standing, moves, age in zip(
        numbers, names, homes_of, standings, mobile, ages, strict=True
    ):
        known = number in NAMED
        found.append(
            {
                "id": number,
                "name": NAMED.get(number, name),
                "home_id": home,
                "standing": Standing.FULL if known else standing,
                "status": MemberStatus.ACTIVE,
                "mobile": moves and not known,
                "language": "zh_CN",
                "joined": today
                - timedelta(days=age % 365 if standing is Standing.PROBATIONARY else 365 + age),
                **_phone(sealer, number),
            }
        )
    return found


def duties(tree: Tree, homes_of: list[int]) -> list[Duty]:
    """Return who is secretary where: each committee from its office, each other from its own first member."""
    first: dict[int, list[int]] = {}
    for number, home in enumerate(homes_of, start=1):
        own = first.setdefault(home, [])
        if len(own) < 5 and number > CITY_SECRETARY:  # noqa: PLR2004 - nobody needs more
            own.append(number)
    found = [
        Duty(CITY_SECRETARY, CITY_ID, Role.SECRETARY, "书记"),
        Duty(BRANCH_SECRETARY, tree.communities[0], Role.SECRETARY, "书记"),
    ]
    for above, office in tree.offices.items():
        found += _of_committee(tree[above], first[office], led=above == CITY_ID)
    led = {duty.organisation_id for duty in found if duty.role is Role.SECRETARY}
    found += [
        Duty(members[0], home, Role.SECRETARY, "书记") for home, members in first.items() if home not in led
    ]
    for number, regional in enumerate(tree.regional):
        firm = tree[tree.firms[number]]
        staff = first[firm.id]
        found.append(Duty(staff[0], regional, Role.SECRETARY, "书记"))
        found.append(Duty(staff[-1], regional, Role.STAFF_WORKER, "兼职委员", sending_unit=firm.name))
    return found


def _of_committee(node: Node, staff: list[int], *, led: bool) -> Iterator[Duty]:
    if not led:
        yield Duty(staff[0], node.id, Role.SECRETARY, "书记")
    yield Duty(staff[1], node.id, Role.STAFF_WORKER, "组织委员")
    yield Duty(staff[-1], node.id, Role.OBSERVER, "纪检委员")


def _phone(sealer: Sealer, number: int) -> dict[str, Any]:
    """Make up a phone number; 12 begins no mobile number in China, so it is nobody's."""
    if number > SEALED_PHONES:
        return {"phone_sealed": None, "phone_index": None, "phone_hint": ""}
    phone = normalised(f"12{number:09}")
    return {
        "phone_sealed": sealer.seal(phone.encode(), "member.phone"),
        "phone_index": sealer.blind_index(phone),
        "phone_hint": hint(phone),
    }

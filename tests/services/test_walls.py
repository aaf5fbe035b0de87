"""The wall around a subtree: what a person reaches through services, against an oracle that walks parents."""

from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.accounts import LinkState
from domain.invitations import InvitationForm
from domain.permissions import Actor, Grant, Role
from domain.refusals import Refusal
from services.alerts import Alerts
from services.approvals import Approvals
from services.audit import Audit
from services.invitations import Invitations
from services.members import Members
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import RecordingDelivery
from tests.town import TODAY, Town, build

pytestmark = pytest.mark.slow_on_postgresql

PARENT = {
    "city": None,
    "haishu": "city",
    "jiangbei": "city",
    "gulou": "haishu",
    "market": "gulou",
    "north": "gulou",
    "cicheng": "jiangbei",
}
HOMES = {"wang": "north", "zhao": "market", "sun": "cicheng", "worker": "gulou", "observer": "haishu"}


class Services(NamedTuple):
    members: Members
    invitations: Invitations
    approvals: Approvals


DOES = {
    "secretary": {"invite", "approve", "read"},
    "staff_worker": {"invite", "approve", "read"},
    "observer": set(),
}


def oracle(grants: list[tuple[str, str, date, date | None]], act: str, node: str | None) -> bool:
    above = set()
    while node is not None:
        above.add(node)
        node = PARENT[node]
    return any(
        act in DOES[role] and where in above and since <= TODAY <= (until or date.max)
        for role, where, since, until in grants
    )


days = st.integers(-1, 1).map(lambda shift: TODAY + timedelta(days=shift))
facts = st.lists(
    st.tuples(st.sampled_from(sorted(DOES)), st.sampled_from(sorted(PARENT)), days, st.none() | days),
    max_size=3,
)


@pytest.fixture
async def town(database: Database) -> Town:
    town = await build(database, Sealer({"test": bytes(32)}, "test"))
    for number, name in enumerate(HOMES):
        await town.link(name, 500 + number, LinkState.PENDING)
    return town


@pytest.fixture
def services(database: Database, clock: HandClock) -> Services:
    sealer = Sealer({"test": bytes(32)}, "test")
    audit = Audit(database=database, clock=clock, sealer=sealer)
    delivery: Any = RecordingDelivery()
    alerts = Alerts(clock=clock, delivery=delivery)
    approvals = Approvals(database=database, clock=clock, audit=audit, alerts=alerts)
    return Services(
        Members(database=database, clock=clock, audit=audit),
        Invitations(database=database, clock=clock, audit=audit, sealer=sealer, approvals=approvals),
        approvals,
    )


async def reached(call: Any) -> bool:
    try:
        await call
    except Refusal:
        return False
    return True


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(grants=facts)
async def test_each_role_at_each_node_reaches_just_what_the_oracle_allows(
    town: Town, services: Services, grants: list[tuple[str, str, date, date | None]]
):
    members, invitations, approvals = services
    held = tuple(
        Grant(Role(role), town.nodes[node], town.paths[node], since, until)
        for role, node, since, until in grants
    )
    actor = Actor(town.members["zhang"], "张伟", town.nodes["north"], town.paths["north"], grants=held)
    links = {name: 1 + number for number, name in enumerate(HOMES)}
    for name, home in HOMES.items():
        member_id = town.members[name]
        assert await reached(members.for_actor(actor, member_id)) == oracle(grants, "read", home)
        made = invitations.create(actor, member_id, InvitationForm.LINK)
        assert await reached(made) == oracle(grants, "invite", home)
        assert await reached(approvals.for_actor(actor, links[name])) == oracle(grants, "approve", home)
        assert await reached(approvals.decidable(actor, links[name])) == oracle(grants, "approve", home)
        if not oracle(grants, "approve", home):
            assert not await reached(approvals.approve(actor, links[name]))
            assert not await reached(approvals.refuse(actor, links[name]))
    expected = [links[name] for name, home in HOMES.items() if oracle(grants, "approve", home)]
    seen = []
    if any(oracle(grants, "approve", node) for node in PARENT):
        seen = [link.link_id for link in (await approvals.waiting(actor, 0))[0]]
    assert seen == expected

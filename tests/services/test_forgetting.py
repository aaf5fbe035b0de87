"""Forgetting a member: what goes, and what stays as a number."""

import base64
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from domain.forgetting import ForgetAskAgain, minute_of
from domain.invitations import InvitationForm
from domain.refusals import NotFound
from services.audit import Audit
from services.forgetting import Forgetting
from services.invitations import Invitations
from services.members import Members
from services.vacancies import Vacancies
from storage import ledger
from storage.audit import detail_of
from storage.database import Database
from storage.fates import FATES, Fate
from storage.invitations import told
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import T, make_grant, make_link
from tests.leaving_world import actor, count, forget, lines, row_of
from tests.person_traces import CHAT, NAME, PHONE, leave_traces
from tests.poll_world import Hall, hall
from tests.town import build

pytestmark = pytest.mark.slow_on_postgresql


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({"test": bytes(range(32))}, "test")


@pytest.fixture
async def town(database: Database, clock: HandClock, sealer: Sealer, tmp_path: Path) -> Hall:
    return await hall(await build(database, sealer), sealer, clock, tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ledger.FILE


@pytest.fixture
def forgetting(database: Database, clock: HandClock, sealer: Sealer, file: Path) -> Forgetting:
    return Forgetting(database=database, clock=clock, sealer=sealer, file=file)


@pytest.fixture
async def wang(town: Hall, sealer: Sealer) -> int:
    return await leave_traces(town, sealer)


async def test_nothing_of_the_person_is_left_in_any_table(
    town: Hall, forgetting: Forgetting, wang: int, sealer: Sealer, tmp_path: Path
):
    index = base64.b64encode(sealer.blind_index(PHONE)).decode()
    traces = (NAME, str(CHAT), index, '"9876"', "A-4711", "2001-07-01")
    before = await lines(town, tmp_path)
    assert all(trace in before for trace in traces)
    await forget(forgetting, town, wang)
    after = await lines(town, tmp_path)
    assert not [trace for trace in traces if trace in after]


async def test_each_table_that_a_member_goes_from_has_a_trace_in_these_tests(town: Hall, wang: int):
    goes = [name.split(".") for name, fate in FATES.items() if fate is Fate.GOES]
    without = [table for table, column in goes if not await count(town, table, **{column: wang})]
    assert without == [], "leave one in tests.person_traces"


async def test_what_was_delivered_and_confirmed_counts_on_without_chat_and_hour(
    town: Hall, forgetting: Forgetting, wang: int
):
    await forget(forgetting, town, wang)
    delivery, confirmed, notice = T["delivery"], T["acknowledgement"], T["notice"]
    async with town.database.read() as session:
        sent = (await session.execute(select(delivery).where(delivery.c.member_id == wang))).one()
        at = (await session.execute(select(confirmed.c.at).where(confirmed.c.member_id == wang))).scalar_one()
        told = (await session.execute(select(notice.c.created_at).where(notice.c.id == 78))).scalar_one()
    assert (sent.state, sent.chat_id, sent.message_id, sent.at) == ("sent", None, None, None)
    assert at == told


async def test_what_counted_counts_on(town: Hall, forgetting: Forgetting, wang: int):
    await town.people("north", 5)
    poll = await town.opened("county_secretary", "gulou", anonymous=False, live=True)
    for voter in (wang, *[m for m in await members_of(town, "north") if m != wang][:4]):
        await town.vote(voter, poll.id, 0)
    figures = [await count(town, name) for name in ("delivery", "participation", "named_vote")]
    await forget(forgetting, town, wang)
    assert [await count(town, name) for name in ("delivery", "participation", "named_vote")] == figures
    await town.over(poll.id)
    assert await count(town, "poll_cell", voted=5) == 1
    await forgetting.catch_up()
    assert await count(town, "named_vote", member_id=wang) == 0
    assert await count(town, "named_vote") == 4


async def test_a_vote_that_is_counted_stands_beside_nobody(town: Hall, forgetting: Forgetting, wang: int):
    others = await town.people("north", 5)
    poll = await town.opened("county_secretary", "gulou", anonymous=False)
    for voter in (wang, *others):
        await town.vote(voter, poll.id, 0)
    await town.over(poll.id)
    await forget(forgetting, town, wang)
    assert await count(town, "named_vote", member_id=wang) == 0
    assert await count(town, "poll_cell", voted=6) == 1


async def test_what_they_suggested_goes_sealed_or_not(town: Hall, forgetting: Forgetting, wang: int):
    open_one = await town.opened("county_secretary", "gulou", anonymous=True)
    named = await town.opened("county_secretary", "gulou", anonymous=False, question="几点？")
    for poll in (open_one, named):
        await town.booth.suggest(await actor(town, wang), poll.id, "多放辣椒")
    await town.booth.suggest(await town.actor("zhang"), named.id, "少放盐")
    await forget(forgetting, town, wang)
    assert await count(town, "sealed_suggestion") == 1


@pytest.mark.parametrize("merged", [False, True])
async def test_a_group_is_not_called_by_what_is_gone(
    town: Hall, forgetting: Forgetting, wang: int, *, merged: bool
):
    place = {"organisation_id": town.town.nodes["north"]}
    async with town.database.begin() as session:
        for number, title in ((1, "多放辣椒"), (2, "多放辣椒")):
            group = {"id": number, "title": title, "tag": "", "state": "open", "answer": ""}
            await session.execute(insert(T["suggestion_group"]).values(**group, **place))
        if merged:
            second = T["suggestion_group"].c.id == 2
            await session.execute(update(T["suggestion_group"]).where(second).values(merged_into=1))
        for number, who, group_id, text in ((1, wang, 2, "多放辣椒"), (2, None, 1, "辣一点")):
            row = {
                "id": number,
                "member_id": who,
                "group_id": group_id,
                "text": text,
                "day": date(2026, 3, 1),
            }
            await session.execute(insert(T["suggestion"]).values(**row, **place))
    await forget(forgetting, town, wang)
    group = T["suggestion_group"]
    async with town.database.read() as session:
        titles = list(
            (
                await session.execute(select(group.c.title).where(group.c.id < 3).order_by(group.c.id))
            ).scalars()
        )
    assert titles == (["辣一点", ""] if merged else ["多放辣椒", ""])
    assert await count(town, "suggestion") == 1


async def test_the_key_of_a_persons_audit_is_dropped_and_the_chain_holds(
    town: Hall, forgetting: Forgetting, wang: int, sealer: Sealer
):
    audit = Audit(database=town.database, clock=town.clock, sealer=sealer)
    await audit.seal(town.clock())
    await forget(forgetting, town, wang)
    entry = T["audit_entry"]
    async with town.database.read() as session:
        query = select(entry.c.detail_sealed).where(entry.c.action == "member.renamed")
        sealed = (await session.execute(query)).scalar_one()
        assert await detail_of(session, sealer, sealed, wang) is None
    assert await audit.verify() is None


async def test_a_chat_that_is_somebody_elses_by_now_is_left_alone(
    town: Hall, forgetting: Forgetting, wang: int
):
    link = T["account_link"]
    async with town.database.begin() as session:
        await session.execute(update(link).where(link.c.member_id == wang).values(state="ended"))
        await make_link(
            session, member=town.town.members["zhang"], chat_id=CHAT, account=town.town.account_id
        )
    await forget(forgetting, town, wang)
    assert await count(town, "fsm", chat_id=CHAT) == 1
    assert await count(town, "account_link", chat_id=CHAT) == 1


async def test_a_delivery_that_still_waits_is_skipped(town: Hall, forgetting: Forgetting, wang: int):
    poll = await town.drafted("county_secretary", "gulou")
    await town.polls.open(await town.actor("county_secretary"), poll.id)
    await forget(forgetting, town, wang)
    await town.go()
    delivery = T["delivery"]
    async with town.database.read() as session:
        query = select(delivery.c.state).where(delivery.c.member_id == wang, delivery.c.dispatch_id != 78)
        assert (await session.execute(query)).scalar_one() == "skipped"
    assert CHAT not in {each.to.chat_id for each in town.channel.sent}


async def test_who_joins_next_is_announced_even_if_their_link_has_the_same_number(
    town: Hall, forgetting: Forgetting, wang: int
):
    link, dispatch = T["account_link"], T["dispatch"]
    async with town.database.begin() as session:
        number = (await session.execute(select(link.c.id).where(link.c.member_id == wang))).scalar_one()
        alert = {"source": "link_waiting", "source_id": number}
        await session.execute(update(dispatch).where(dispatch.c.id == 78).values(alert))
        assert await told(session, "link_waiting", number)
    await forget(forgetting, town, wang)
    async with town.database.read() as session:
        assert not await told(session, "link_waiting", number)


@pytest.mark.parametrize(("minutes", "other"), [(11, False), (-1, False), (0, True)])
async def test_an_old_or_borrowed_button_forgets_nobody(
    town: Hall, forgetting: Forgetting, wang: int, minutes: int, *, other: bool
):
    asked = minute_of(town.clock()) - minutes
    with pytest.raises(ForgetAskAgain):
        await forgetting.forget(await actor(town, wang), wang + other, asked)
    assert (await row_of(town, wang)).name == NAME


async def test_the_last_secretary_is_told_and_may_go(town: Hall, forgetting: Forgetting):
    who = town.town.members["branch_secretary"]
    told = await forgetting.farewell(await actor(town, who))
    assert [one.name for one in told.without_secretary] == ["北大路支部"]
    await make_grant(town.database, member=town.town.members["zhao"], organisation=town.town.nodes["north"])
    assert (await forgetting.farewell(await actor(town, who))).without_secretary == ()
    await forget(forgetting, town, who)
    assert await count(town, "role_grant", member_id=who) == 0


async def test_who_can_appoint_a_secretary_hears_that_one_is_missing(
    town: Hall, forgetting: Forgetting, sealer: Sealer, file: Path
):
    vacancies = Vacancies(database=town.database, clock=town.clock, delivery=town.delivery)
    telling = Forgetting(
        database=town.database, clock=town.clock, sealer=sealer, file=file, vacancies=vacancies
    )
    await town.town.link("county_secretary", 8)
    await forget(telling, town, town.town.members["branch_secretary"])
    await town.go()
    (message,) = [each.content for each in town.channel.sent if each.to.chat_id == 8]
    assert "北大路支部 现在没有书记了" in message.text
    assert "李书记" not in message.text


async def test_what_a_secretary_scheduled_is_counted_and_what_they_drafted_goes(
    town: Hall, forgetting: Forgetting
):
    who = town.town.members["county_secretary"]
    await town.drafted("county_secretary", "gulou")
    scheduled = await town.drafted("county_secretary", "gulou", question="几点？")
    async with town.database.begin() as session:
        await session.execute(
            update(T["poll"]).where(T["poll"].c.id == scheduled.id).values(state="scheduled")
        )
    assert (await forgetting.farewell(await actor(town, who))).scheduled == 1
    await forget(forgetting, town, who)
    assert await count(town, "poll") == 1


async def test_nobody_reads_an_emptied_record(town: Hall, forgetting: Forgetting, wang: int, sealer: Sealer):
    await forget(forgetting, town, wang)
    audit = Audit(database=town.database, clock=town.clock, sealer=sealer)
    members = Members(database=town.database, clock=town.clock, audit=audit)
    with pytest.raises(NotFound):
        await members.for_actor(await town.actor("branch_secretary"), wang)


async def test_an_invitation_afterwards_makes_a_new_beginning(
    town: Hall, forgetting: Forgetting, wang: int, sealer: Sealer
):
    await forget(forgetting, town, wang)
    audit = Audit(database=town.database, clock=town.clock, sealer=sealer)
    invitations: Any = Invitations(
        database=town.database,
        clock=town.clock,
        audit=audit,
        sealer=sealer,
        approvals=None,  # type: ignore[arg-type]
    )
    with pytest.raises(NotFound):
        await invitations.create(await town.actor("branch_secretary"), wang, InvitationForm.LINK)


async def members_of(town: Hall, name: str) -> list[int]:
    member = T["member"]
    async with town.database.read() as session:
        query = select(member.c.id).where(
            member.c.home_id == town.town.nodes[name], member.c.status == "active"
        )
        return list((await session.execute(query.order_by(member.c.id))).scalars())

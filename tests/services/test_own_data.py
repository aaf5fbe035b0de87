"""A member's own document: all that is stored of them, opened and named, and nobody else's."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.accounts import Account
from domain.permissions import Actor
from services.audit import Audit
from services.members import Members
from services.own_data import OwnData
from storage.database import Database
from storage.sealing import Sealer
from tests.conftest import HandClock
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
def own_data(database: Database, clock: HandClock, sealer: Sealer) -> OwnData:
    return OwnData(database=database, clock=clock, sealer=sealer)


async def document(own_data: OwnData, actor: Actor) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((await own_data.document(actor)).content)
    return found


async def test_it_opens_with_an_index_in_both_languages(town: Hall, own_data: OwnData, sealer: Sealer):
    await leave_traces(town, sealer)
    found = await document(own_data, await town.actor("wang"))
    assert list(found) == ["index", "left_out", "fields", "about", "data"]
    assert [entry["section"] for entry in found["index"]] == list(found["data"])
    assert found["index"][0]["zh_CN"].startswith("您的基本信息")
    assert found["index"][0]["en"].startswith("Your record")
    assert found["fields"]["since"] == {"zh_CN": "从何时起", "en": "since"}
    counts = {entry["section"]: entry["entries"] for entry in found["index"]}
    assert counts == {name: len(rows) for name, rows in found["data"].items()}


async def test_it_holds_what_is_stored_opened(town: Hall, own_data: OwnData, sealer: Sealer):
    await leave_traces(town, sealer)
    data = (await document(own_data, await town.actor("wang")))["data"]
    record = data["record"][0]
    assert (record["name"], record["phone"], record["joined"]) == (NAME, PHONE, "2001-07-01")
    assert record["organisation"] == "北大路支部"
    assert data["chats"][0]["chat_id"] == CHAT
    assert data["topics"] == [{"topic": "主题policy"}]
    assert data["dialogues"][0]["data"] == NAME
    assert {"action": "member.renamed", "detail": {"name": NAME}}.items() <= data["readings"][0].items()


async def test_it_says_who_read_the_record(town: Hall, own_data: OwnData, sealer: Sealer, clock: HandClock):
    audit = Audit(database=town.database, clock=clock, sealer=sealer)
    members = Members(database=town.database, clock=clock, audit=audit)
    await members.for_actor(await town.actor("branch_secretary"), town.town.members["wang"])
    data = (await document(own_data, await town.actor("wang")))["data"]
    assert [(row["action"], row["by"]) for row in data["readings"]] == [("member.read", "李书记")]


async def test_it_holds_votes_by_name_and_never_an_anonymous_one(town: Hall, own_data: OwnData):
    named = await town.opened("county_secretary", "gulou", anonymous=False, question="署名的？")
    hidden = await town.opened("county_secretary", "gulou", anonymous=True, question="匿名的？")
    for poll in (named, hidden):
        await town.vote("wang", poll.id, 1)
        await town.booth.suggest(await town.actor("wang"), poll.id, f"我说{poll.question}")
    data = (await document(own_data, await town.actor("wang")))["data"]
    assert data["named_votes"] == [{"question": "署名的？", "chosen": ["八点"]}]
    assert {row["poll"] for row in data["polls_taken_part"]} == {"署名的？", "匿名的？"}
    assert {row["text"] for row in data["waiting_suggestions"]} == {"我说署名的？", "我说匿名的？"}
    assert {row["poll"] for row in data["received"]} == {"署名的？", "匿名的？"}


async def test_it_holds_nothing_of_anybody_else(town: Hall, own_data: OwnData, sealer: Sealer):
    await leave_traces(town, sealer)
    poll = await town.opened("county_secretary", "gulou", anonymous=False)
    for who in ("wang", "zhang"):
        await town.vote(who, poll.id, 0)
        await town.booth.suggest(await town.actor(who), poll.id, f"我是{who}")
    text = (await own_data.document(await town.actor("zhang"))).content.decode()
    for foreign in (NAME, PHONE, str(CHAT), "我是wang"):
        assert foreign not in text
    assert "我是zhang" in text


@pytest.mark.parametrize(("residency", "may"), [("CN", True), ("AE", False)])
def test_a_messenger_abroad_does_not_carry_it(own_data: OwnData, residency: str, *, may: bool):
    account = Account(1, "a", residency=residency, verifies_phones=False, deep_link_template="")
    assert own_data.may_send(account) is may

"""An author's poll once it is open: how many took part, its end, and the answer that is published with it."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from domain.polls import PollState
from storage.sealing import Sealer
from storage.tables import MemberRow
from tests.conftest import HandClock
from tests.fakes import Chat, World
from tests.handlers.poll_chat import two_secretaries
from tests.poll_world import Hall
from tests.town import Town


@pytest.fixture
async def made(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, tmp_path: Path) -> Hall:
    return await two_secretaries(town, toolbox, sealer, clock, tmp_path)


@pytest.fixture
def branch(made: Hall, world: World) -> Chat:
    return world.chat(100)


async def closed(chat: Chat, made: Hall, votes: int = 6) -> int:
    """Open a poll, have it voted on, and let it close."""
    poll = await made.opened("branch_secretary", "north")
    for number, voter in enumerate(await _north(made, votes)):
        await made.vote(voter, poll.id, number % 2)
    await made.over(poll.id)
    return poll.id


async def _north(made: Hall, number: int) -> list[int]:
    async with made.database.read() as session:
        found = await session.exec(
            select(MemberRow.id).where(MemberRow.home_id == made.town.nodes["north"]).order_by(MemberRow.id)
        )
        return [each for each in found.all() if each is not None][:number]


async def test_an_open_poll_shows_how_many_took_part_and_nothing_more(branch: Chat, made: Hall):
    poll = await made.opened("branch_secretary", "north")
    await made.vote("wang", poll.id, 0)
    await made.booth.suggest(await made.actor("wang"), poll.id, "早一点")
    await branch.say("/poll")
    await branch.press("▶ ")
    assert "已参加 1 人，共请 10 人" in branch.screen
    assert "收到建议 1 条" in branch.screen
    assert "▇" not in branch.screen
    assert "早一点" not in branch.screen


async def test_closing_early_is_asked_first_and_leads_to_the_answer(branch: Chat, made: Hall):
    poll = await made.opened("branch_secretary", "north")
    for voter in await _north(made, 6):
        await made.vote(voter, poll.id, 0)
    await branch.say("/poll")
    await branch.press("▶ ")
    await branch.press("提前截止")
    assert "原定 3月7日 10:00 截止" in branch.screen
    await branch.press("确定现在截止")
    assert "已截止，等您公布结果" in branch.screen
    assert "6 人参加（共请 10 人）" in branch.screen


async def test_calling_a_poll_off_is_asked_first(branch: Chat, made: Hall):
    poll = await made.opened("branch_secretary", "north")
    await branch.say("/poll")
    await branch.press("▶ ")
    await branch.press("取消这次")
    assert "找不回来" in branch.screen
    await branch.press("确定取消")
    assert "已经取消" in branch.screen
    found = await made.polls.for_actor(await made.actor("branch_secretary"), poll.id)
    assert found.state is PollState.CANCELLED


async def test_an_owed_result_comes_before_a_new_poll(branch: Chat, made: Hall):
    await closed(branch, made)
    for said in ("/poll", "/poll 另一个问题？"):
        await branch.say(said)
        assert "先公布上一次的结果" in branch.screen
    await branch.press("写答复并公布结果")
    assert "请直接写「我们将怎么做」" in branch.screen


async def test_a_question_typed_on_an_old_desk_meets_the_owed_result_too(branch: Chat, made: Hall):
    await closed(branch, made)
    await branch.say("/poll")
    await branch.press("看我的全部")
    assert [label for label in branch.buttons if label.startswith("❗")]
    await branch.say("另一个问题？")
    assert "先公布上一次的结果" in branch.screen


async def test_the_answer_is_seen_as_it_goes_out_and_then_published_to_all(
    branch: Chat, made: Hall, world: World
):
    poll_id = await closed(branch, made)
    await branch.say("/poll")
    await branch.press("写答复")
    assert "1. 七点\n▇▇▇▇▇ 3（50%）" in branch.screen
    await branch.say("下月起七点。")
    await branch.say("下月起七点开门。")
    picture, asking = branch.messages[-2:]
    assert picture.photo
    assert "下月起七点开门。" in (picture.caption or "")
    assert "这样公布吗？" in (asking.text or "")
    sent = len(made.channel.sent)
    await branch.press("公布结果（10 人）")
    assert "结果已公布" in branch.screen
    assert "下月起七点开门。" in branch.screen
    await made.go()
    assert len(made.channel.sent) == sent + 7
    await branch.tap(f"prun:publish:{poll_id}")
    await made.go()
    assert len(made.channel.sent) == sent + 7
    await branch.say("/poll")
    assert "直接输入要问的问题" in branch.screen


async def test_the_suggestions_of_a_closed_poll_are_a_press_away(branch: Chat, made: Hall, toolbox: Any):
    poll = await made.opened("branch_secretary", "north")
    await made.booth.suggest(await made.actor("wang"), poll.id, "坡道太陡")
    await made.over(poll.id)
    await toolbox.suggestions.tick()
    await branch.say("/poll")
    await branch.press("写答复")
    await branch.press("看收到的建议")
    assert [label for label in branch.buttons if "坡道太陡" in label]


async def test_publishing_without_an_answer_asks_for_it_again(branch: Chat, made: Hall):
    poll_id = await closed(branch, made)
    await branch.say("/menu")
    await branch.tap(f"prun:publish:{poll_id}")
    assert "请直接写「我们将怎么做」" in branch.screen


async def test_fewer_than_five_votes_are_published_without_numbers_or_picture(branch: Chat, made: Hall):
    await closed(branch, made, votes=2)
    await branch.say("/poll")
    await branch.press("写答复")
    assert "不足 5 位" in branch.screen
    await branch.say("知道了。")
    assert not branch.messages[-2].photo
    await branch.press("公布结果")
    assert "结果已公布" in branch.screen


async def test_a_superior_sees_a_poll_and_an_observer_can_do_nothing_with_it(
    branch: Chat, made: Hall, world: World, town: Town
):
    await town.link("observer", 400)
    poll = await made.opened("branch_secretary", "north")
    observer, county = world.chat(400), world.chat(200)
    await observer.say("/poll")
    assert "直接输入要问的问题" not in observer.screen
    await observer.press("▶ ")
    assert "已参加 0 人" in observer.screen
    assert not [label for label in observer.buttons if "截止" in label or "取消" in label]
    for step in ("close", "cancel", "start", "recall", "early", "off"):
        await observer.tap(f"prun:{step}:{poll.id}")
    await county.say("/poll")
    await county.press("▶ ")
    assert "提前截止" in county.buttons
    found = await made.polls.for_actor(await made.actor("branch_secretary"), poll.id)
    assert found.state is PollState.OPEN


async def test_an_old_button_of_an_open_poll_shows_its_result(branch: Chat, made: Hall):
    poll_id = await closed(branch, made)
    for step in ("recall", "close", "cancel", "early", "off"):
        await branch.say("/poll")
        await branch.tap(f"prun:{step}:{poll_id}")
        assert "等您公布结果" in branch.screen, step

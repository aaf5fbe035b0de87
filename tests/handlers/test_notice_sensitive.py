"""A notice that touches personal matters: marked by a switch, counted before sending, and shown at home only."""

from sqlalchemy import select, update

from handlers.notice_progress import refresh
from storage.tables import metadata
from tests.factories import make_link
from tests.fakes import Chat, World
from tests.handlers.notice_chat import aimed
from tests.notice_world import Bridge
from tests.town import Town

account, dispatch = metadata.tables["account"], metadata.tables["dispatch"]


async def keeps_data_in(town: Town, country: str) -> None:
    """Say where the web chat, which everybody here is on, keeps its data."""
    here = account.c.id == town.address(1).account_id
    async with town.database.begin() as session:
        await session.execute(update(account).where(here).values(residency=country))


async def sent_as(town: Town) -> list[bool]:
    """Return whether each dispatch goes by accounts at home only."""
    async with town.database.read() as session:
        return list((await session.execute(select(dispatch.c.home_only))).scalars())


async def test_a_sensitive_notice_counts_whom_it_cannot_reach_and_is_shown_at_home_only(
    county: Chat, delivering: Bridge, town: Town
):
    await aimed(county)
    assert "马上送到：3 人" in county.screen
    await county.press("⬜ 涉及个人情况（只走境内）")
    assert "只经由数据存放在境内的账号发送" in county.screen
    await keeps_data_in(town, "AE")
    await county.press("✅ 涉及个人情况（只走境内）")
    assert "马上送到：3 人" in county.screen
    await county.press("⬜ 涉及个人情况（只走境内）")
    assert "马上送到" not in county.screen
    assert "只有不许使用的聊天：3" in county.screen
    await keeps_data_in(town, "CN")
    await county.press("现在发出")
    await delivering.go()
    assert len(delivering.channel.sent) == 3
    wang = await town.actor("wang")
    inbox, here = delivering.notices.inbox, town.address(1).account_id
    assert await sent_as(town) == [True]
    assert len((await inbox.latest(wang, account_id=here))[0]) == 1
    await keeps_data_in(town, "AE")
    assert (await inbox.latest(wang, account_id=here))[0] == []


async def test_a_notice_does_not_go_as_it_was_before_it_was_marked(
    county: Chat, delivering: Bridge, town: Town
):
    await aimed(county)
    secretary = await town.actor("county_secretary")
    seen = (await delivering.notices.desk(secretary))[0][0]
    await county.press("⬜ 涉及个人情况（只走境内）")
    async with town.database.begin() as session:
        assert not await delivering.notices.start(session, seen, secretary.member_id)
    assert await sent_as(town) == []


async def test_who_marks_it_in_a_chat_abroad_is_told_that_its_words_lie_there(
    county: Chat, delivering: Bridge, town: Town, telegram: World
):
    await aimed(county)
    await county.press("⬜ 涉及个人情况（只走境内）")
    assert county.alerts == []
    await county.press("✅ 涉及个人情况（只走境内）")
    secretary = town.members["county_secretary"]
    await make_link(town.database, member=secretary, chat_id=7, account=town.telegram_id)
    abroad = telegram.chat(7)
    await abroad.say("/notice")
    await abroad.press("📝 请参加学习")
    await abroad.press("⬜ 涉及个人情况（只走境内）")
    assert "数据存放在境外" in abroad.alerts[-1]
    assert "只经由数据存放在境内的账号发送" in abroad.screen
    assert "请参加学习" not in abroad.screen


async def test_what_it_says_is_shown_in_no_chat_abroad_to_who_sends_it_either(
    county: Chat, delivering: Bridge, town: Town, telegram: World, toolbox, clock
):
    await aimed(county)
    await county.press("⬜ 涉及个人情况（只走境内）")
    secretary = town.members["county_secretary"]
    await make_link(town.database, member=secretary, chat_id=7, account=town.telegram_id)
    abroad = telegram.chat(7)
    await abroad.say("/notice")
    await abroad.press("📝 涉及个人情况的通知")
    assert "这里不显示内容" in abroad.screen
    await abroad.press("先试发给我")
    assert "请在网页聊天里试发" in abroad.alerts[-1]
    await abroad.press("现在发出")
    assert "正在发出" in abroad.screen
    await delivering.go()
    await refresh({town.telegram_id: telegram.bot}, toolbox, clock, {})
    assert "发送报告" in abroad.screen
    assert "请参加学习" not in str(telegram.session.calls)
    assert "涉及个人情况的通知" in str(telegram.session.calls)
    await county.say("/notice")
    assert "请参加学习" in str(county.buttons)

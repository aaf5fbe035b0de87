"""Signing in to the console: who gets a link, what it is good for, and how it ends."""

import contextlib
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from domain.accounts import Account
from domain.refusals import NotAllowed
from domain.sign_ins import LASTS, LINK_LASTS, MOST, UNUSED, ConsoleNotOffered, SignedOut
from services.audit import Audit
from services.sign_ins import SignIns
from storage.accounts import account
from storage.sealing import Sealer
from tests.factories import T
from tests.town import Town, build

SEALER = Sealer({"t": bytes(32)}, "t")
BASE = "https://bridge.test/console/in/"


@pytest.fixture
async def town(database) -> Town:
    return await build(database, SEALER)


@pytest.fixture
def sign_ins(database, clock) -> SignIns:
    return made(database, clock)


def made(database, clock, public_url: str = "https://bridge.test") -> SignIns:
    audit = Audit(database=database, clock=clock, sealer=SEALER)
    return SignIns(database=database, clock=clock, audit=audit, public_url=public_url)


async def home(town: Town) -> Account:
    async with town.database.read() as session:
        return await account(session, town.account_id)


async def link(sign_ins: SignIns, town: Town, who: str = "county_secretary") -> str:
    url = await sign_ins.link(await town.actor(who), await home(town), "en")
    assert url.startswith(BASE)
    return url.removeprefix(BASE)


async def test_a_link_says_whom_it_signs_in_and_works_once(sign_ins: SignIns, town: Town):
    secret = await link(sign_ins, town)
    for _ in range(2):  # looking at it, as messengers do, uses nothing up
        offer = await sign_ins.offer(secret)
    assert (offer.name, offer.language) == ("陈书记", "en")
    browser = await sign_ins.open(secret)
    behind = await sign_ins.behind(browser)
    assert behind.actor == await town.actor("county_secretary")
    assert behind.sign_in.at_home
    for used in (sign_ins.offer, sign_ins.open, sign_ins.behind):
        with pytest.raises(SignedOut):
            await used(secret)


async def test_a_browser_signed_in_from_a_chat_abroad_counts_as_abroad(sign_ins: SignIns, town: Town):
    async with town.database.read() as session:
        abroad = await account(session, town.telegram_id)
    url = await sign_ins.link(await town.actor("county_secretary"), abroad, "en")
    browser = await sign_ins.open(url.removeprefix(BASE))
    assert not (await sign_ins.behind(browser)).sign_in.at_home


async def test_a_link_is_good_for_minutes(sign_ins: SignIns, town: Town, clock):
    secret = await link(sign_ins, town)
    clock.now += LINK_LASTS
    with pytest.raises(SignedOut):
        await sign_ins.open(secret)


async def test_only_the_newest_link_leads_anywhere(sign_ins: SignIns, town: Town):
    old, new = await link(sign_ins, town), await link(sign_ins, town)
    with pytest.raises(SignedOut):
        await sign_ins.open(old)
    assert await sign_ins.open(new)


async def test_who_sees_no_report_anywhere_gets_no_link(sign_ins: SignIns, town: Town):
    with pytest.raises(NotAllowed):
        await link(sign_ins, town, "wang")


async def test_without_an_address_there_is_no_link(database, clock, town: Town):
    nowhere = made(database, clock, "")
    assert not nowhere.offered
    with pytest.raises(ConsoleNotOffered):
        await link(nowhere, town)


@pytest.mark.parametrize("secret", ["", "x", "a" * 5000, "王"])
async def test_a_guessed_secret_leads_nowhere(sign_ins: SignIns, secret: str):
    for used in (sign_ins.offer, sign_ins.open, sign_ins.behind):
        with pytest.raises(SignedOut):
            await used(secret)


async def test_it_ends_unused_and_at_the_end_of_the_day(sign_ins: SignIns, town: Town, clock):
    left = await sign_ins.open(await link(sign_ins, town))
    clock.now += UNUSED
    with pytest.raises(SignedOut):
        await sign_ins.behind(left)
    used, until = await sign_ins.open(await link(sign_ins, town)), clock.now + LASTS
    while clock.now + timedelta(hours=1) < until:
        clock.forward(hours=1)
        await sign_ins.behind(used)
    clock.now = until
    with pytest.raises(SignedOut):
        await sign_ins.behind(used)


async def test_it_ends_with_the_last_right(sign_ins: SignIns, town: Town):
    browser = await sign_ins.open(await link(sign_ins, town))
    grant = T["role_grant"]
    async with town.database.begin() as session:
        mine = grant.c.member_id == town.members["county_secretary"]
        await session.execute(update(grant).where(mine).values(until=date(2026, 3, 3)))
    with pytest.raises(SignedOut):
        await sign_ins.behind(browser)


async def test_one_browser_or_all_of_them_are_signed_out(sign_ins: SignIns, town: Town, clock):
    first, second = [await sign_ins.open(await link(sign_ins, town)) for _ in range(2)]
    await sign_ins.sign_out((await sign_ins.behind(first)).sign_in)
    with pytest.raises(SignedOut):
        await sign_ins.behind(first)
    behind = await sign_ins.behind(second)
    assert [each.id for each in await sign_ins.open_ones(behind.actor)] == [behind.sign_in.id]
    waiting = await link(sign_ins, town)
    await sign_ins.sign_out_everywhere(behind.actor)
    for secret, used in ((second, sign_ins.behind), (waiting, sign_ins.open)):
        with pytest.raises(SignedOut):
            await used(secret)


async def test_of_many_browsers_the_one_left_longest_is_signed_out(sign_ins: SignIns, town: Town, clock):
    browsers = []
    for _ in range(MOST + 1):
        browsers.append(await sign_ins.open(await link(sign_ins, town)))
        clock.forward(minutes=5)
    with pytest.raises(SignedOut):
        await sign_ins.behind(browsers[0])
    assert len(await sign_ins.open_ones(await town.actor("county_secretary"))) == MOST


async def test_a_page_that_is_left_open_is_no_use(sign_ins: SignIns, town: Town, clock):
    browser = await sign_ins.open(await link(sign_ins, town))
    for _ in range(2):
        clock.now += UNUSED / 2
        with contextlib.suppress(SignedOut):
            await sign_ins.behind(browser, by_itself=True)
    with pytest.raises(SignedOut):
        await sign_ins.behind(browser)


async def test_a_browser_that_signs_in_again_is_known_once(sign_ins: SignIns, town: Town):
    first = await sign_ins.open(await link(sign_ins, town))
    second = await sign_ins.open(await link(sign_ins, town, "worker"), first)
    assert (await sign_ins.behind(second)).actor.name == (await town.actor("worker")).name
    with pytest.raises(SignedOut):
        await sign_ins.behind(first)


async def test_the_language_is_the_browsers_own(sign_ins: SignIns, town: Town):
    browser = await sign_ins.open(await link(sign_ins, town))
    for wish in ("zh_CN", "xx"):
        await sign_ins.speak((await sign_ins.behind(browser)).sign_in, wish)
        assert (await sign_ins.behind(browser)).sign_in.language == "zh_CN"


async def test_what_leads_nowhere_is_dropped_and_secrets_are_kept_as_hashes(
    sign_ins: SignIns, town: Town, clock
):
    browser = await sign_ins.open(await link(sign_ins, town))
    await link(sign_ins, town, "worker")
    async with town.database.read() as session:
        kept = [bytes(each) for each in (await session.execute(select(T["sign_in"].c.digest))).scalars()]
    assert browser.encode() not in b"".join(kept)
    for later, left in ((timedelta(), 2), (LINK_LASTS, 1), (UNUSED, 0)):
        clock.now += later
        await sign_ins.tidy()
        async with town.database.read() as session:
            count = (await session.execute(select(func.count()).select_from(T["sign_in"]))).scalar_one()
        assert count == left

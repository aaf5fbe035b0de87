"""The web calendar over HTTP: what a calendar program sees, what tells it that nothing changed, and old addresses."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from icalendar import Calendar

from bot import calendar
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.service_day_world import ServiceWorld, at, world
from tests.town import build

MARCH = date(2026, 3, 1)


@pytest.fixture
async def bridge(database, clock: HandClock) -> ServiceWorld:
    sealer = Sealer({"test": bytes(32)}, "test")
    clock.now = at(date(2026, 2, 24), 12)
    return await world(await build(database, sealer), sealer, clock)


@pytest.fixture
def database_url(sqlite_template, tmp_path) -> str:
    path = tmp_path / "tongdao.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def client(bridge: ServiceWorld) -> AsyncIterator[TestClient]:
    app = web.Application()
    app.add_routes(calendar.routes(bridge.service.addresses))
    async with TestClient(TestServer(app)) as client:
        yield client


async def path_of(bridge: ServiceWorld, who: str = "wang", language: str = "zh_CN") -> str:
    url = await bridge.service.addresses.renew(await bridge.town.actor(who), language)
    assert url.startswith("https://bridge.test/calendar/")
    return url.removeprefix("https://bridge.test")


async def test_a_calendar_program_gets_the_days_and_nothing_of_the_person(
    bridge: ServiceWorld, client: TestClient
):
    response = await client.get(await path_of(bridge))
    body = await response.text()
    assert response.status == 200
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "private" in response.headers["Cache-Control"]
    days = [event["dtstart"].dt for event in Calendar.from_ical(body).walk("VEVENT")]
    assert days[:2] == [date(2026, 3, 7), date(2026, 4, 11)]  # nobody confirmed February in time
    assert not [secret for secret in ("王芳", "北大路", "宁波", "member") if secret in body]


async def test_what_has_not_changed_is_not_sent_again(bridge: ServiceWorld, client: TestClient):
    path = await path_of(bridge)
    first = await client.get(path)
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    for asked in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
        again = await client.get(path, headers=asked)
        assert (again.status, await again.read()) == (304, b"")
        assert again.headers["ETag"] == etag
    bridge.clock.forward(hours=1)
    await bridge.confirm(MARCH)
    for asked in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
        assert (await client.get(path, headers=asked)).status == 200


async def test_a_new_text_is_seen_and_a_removed_one_too(bridge: ServiceWorld, client: TestClient):
    path = await path_of(bridge)
    day, secretary = await bridge.day(MARCH), await bridge.secretary()
    for text in ("义诊", ""):
        modified = (await client.get(path)).headers["Last-Modified"]
        bridge.clock.forward(minutes=5)
        await bridge.service.desk.write(secretary, bridge.city, day.id, text)
        answer = await client.get(path, headers={"If-Modified-Since": modified})
        assert answer.status == 200
        assert ("义诊" in await answer.text()) == bool(text)


async def test_a_moved_and_a_cancelled_day_keep_their_uid(bridge: ServiceWorld, client: TestClient):
    path = await path_of(bridge)
    desk, secretary = bridge.service.desk, await bridge.secretary()
    seen = []
    await bridge.confirm(MARCH)
    for change in (None, date(2026, 3, 14), "cancel"):
        day = await bridge.day(MARCH)
        if isinstance(change, date):
            await desk.move(secretary, bridge.city, day.id, change)
        elif change:
            await desk.cancel(secretary, bridge.city, day.id)
        events = Calendar.from_ical(await (await client.get(path)).text()).walk("VEVENT")
        [event] = [each for each in events if each["uid"].endswith("2026-03@tongdao")]
        assert event["dtend"].dt - event["dtstart"].dt == timedelta(days=1)
        seen.append((event["dtstart"].dt, event["sequence"], event["status"]))
    assert seen == [
        (date(2026, 3, 7), 0, "CONFIRMED"),
        (date(2026, 3, 14), 1, "CONFIRMED"),
        (date(2026, 3, 14), 2, "CANCELLED"),
    ]


async def test_an_address_ends_when_it_is_renewed_or_switched_off(bridge: ServiceWorld, client: TestClient):
    old = await path_of(bridge)
    new = await path_of(bridge)
    assert old != new
    assert [(await client.get(path)).status for path in (old, new)] == [404, 200]
    wang = await bridge.town.actor("wang")
    assert await bridge.service.addresses.switch_off(wang)
    assert not await bridge.service.addresses.switch_off(wang)
    assert (await client.get(new)).status == 404


async def test_who_is_no_member_any_more_has_no_calendar(bridge: ServiceWorld, client: TestClient):
    from sqlalchemy import update

    from tests.service_day_world import T

    path = await path_of(bridge)
    async with bridge.database.begin() as session:
        await session.execute(
            update(T["member"]).where(T["member"].c.id == bridge.town.members["wang"]).values(status="left")
        )
    assert (await client.get(path)).status == 404


@pytest.mark.parametrize("token", ["x", "a" * 300, "%00", "..%2f..%2fetc", "王"])
async def test_a_guessed_address_leads_nowhere(client: TestClient, token: str):
    assert (await client.get(f"/calendar/{token}.ics")).status == 404


async def test_the_secret_part_is_long_and_kept_only_as_a_hash(bridge: ServiceWorld):
    token = (await path_of(bridge)).removeprefix("/calendar/").removesuffix(".ics")
    assert len(token) >= 32
    async with bridge.database.read() as session:
        connection = await session.connection()
        dump = await connection.run_sync(
            lambda sync: "\n".join(sync.connection.driver_connection._conn.iterdump())
        )
    assert token not in dump

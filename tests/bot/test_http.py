"""What the bridge says over HTTP: ready means ready, and the figures are those of the rows."""

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot import http
from storage import inbox
from storage.inbox import Incoming
from tests.factories import make_account


@pytest.fixture
def health():
    return http.Health()


@pytest.fixture
async def client(health, database, clock):
    app = http.build(health, database, clock, [])
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        yield client


async def said(client, path):
    answer = await client.get(path)
    return answer.status, await answer.json()


async def test_a_process_that_answers_is_alive_even_when_it_is_not_ready(client, health):
    async def wrong() -> str:
        return "no"

    health.checks["poll"] = wrong
    assert await said(client, "/healthz") == (200, {"alive": True})


async def test_ready_means_that_every_check_is_well(client, health):
    async def well() -> str:
        return ""

    health.checks["database"] = well
    assert await said(client, "/readyz") == (200, {"ready": True, "problems": {}})


async def test_what_is_wrong_is_named(client, health):
    async def wrong() -> str:
        return "the poller has ended"

    async def broken() -> str:
        raise OSError

    health.checks |= {"poll": wrong, "database": broken}
    problems = {"poll": "the poller has ended", "database": "OSError"}
    assert await said(client, "/readyz") == (503, {"ready": False, "problems": problems})


async def test_the_figures_count_updates_by_state_and_the_age_of_the_oldest(client, database, clock):
    account = await make_account(database)
    async with database.begin() as session:
        kept = await inbox.keep(
            session, [Incoming(account, number, 7, b"{}") for number in range(1, 4)], clock()
        )
        await inbox.done(session, [kept[0].id], clock())
        await inbox.effective(session, [kept[1].id])
    clock.forward(seconds=90)
    text = await (await client.get("/metrics")).text()
    assert 'tongdao_inbox_updates{state="waiting"} 1.0' in text
    assert 'tongdao_inbox_updates{state="effective"} 1.0' in text
    assert 'tongdao_inbox_updates{state="quarantined"} 0.0' in text
    assert "tongdao_inbox_lag_seconds 90.0" in text
    assert 'tongdao_deliveries{outcome="sent"} 0.0' in text

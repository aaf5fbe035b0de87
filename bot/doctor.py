"""Independent checks of an installation, each with its remedy."""

import shutil
import sqlite3
from datetime import UTC, datetime

import aiohttp

from bot import doctor_fleet, doctor_rows, fleet
from bot.finding import Check, Finding
from bot.settings import DEMO_KEY, AccountSettings, Settings
from domain.clock import day_of
from domain.holidays import Calendar
from services import poll_chart
from storage import holidays, schema
from storage.database import Database

NOT_RUNNING = doctor_fleet.NOT_RUNNING
LEAST_FREE = 1024**3  # bytes
MISSED_FROM_MONTH = 12
PATIENCE = aiohttp.ClientTimeout(total=5)


async def examine(settings: Settings) -> list[Finding]:
    """Run all checks; one that breaks is a finding, not the end."""
    findings = []
    for name, check in CHECKS.items():
        try:
            findings.append(await check(settings))
        except Exception as error:  # noqa: BLE001 - whatever breaks is what the doctor is asked for
            findings.append(Finding(name, ok=False, found=type(error).__name__, remedy="See the log."))
    return findings + [await _account(account) for account in settings.accounts]


async def _key(settings: Settings) -> Finding:
    if settings.secret_key.get_secret_value():
        return Finding("secret key", ok=True, found="set")
    if (settings.data_dir / DEMO_KEY).exists():
        return Finding("secret key", ok=True, found="of the demo")
    return Finding("secret key", ok=False, found="not set", remedy="Run `tongdao init`; it makes one.")


async def _folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    if not folder.is_dir():
        return Finding("data folder", ok=False, found=f"{folder} is missing", remedy="Run `tongdao init`.")
    free = shutil.disk_usage(folder).free
    return Finding(
        "data folder",
        ok=free > LEAST_FREE,
        found=f"{free / 1024**3:.1f} GiB free",
        remedy="" if free > LEAST_FREE else "Make room: below 1 GiB a backup may not fit.",
    )


async def _schema(settings: Settings) -> Finding:
    database = Database(settings.database)
    try:
        at, wanted = await schema.current(database), schema.head()
    except Exception as error:  # noqa: BLE001 - drivers raise many kinds
        remedy = "Check TONGDAO_DATABASE_URL and that the server runs."
        return Finding("database", ok=False, found=type(error).__name__, remedy=remedy)
    finally:
        await database.close()
    remedy = "" if at == wanted else "Run `tongdao db upgrade`."
    return Finding("database", ok=at == wanted, found=f"schema {at or 'none'} of {wanted}", remedy=remedy)


async def _holidays(settings: Settings) -> Finding:
    """Look for next year's table: it is announced in autumn, and from December on it is missed."""
    database = Database(settings.database)
    today = day_of(datetime.now(UTC))
    try:
        async with database.read() as session:
            missing = Calendar(await holidays.read_all(session)).missing_year(today)
    finally:
        await database.close()
    if missing is None:
        return Finding("holidays", ok=True, found="known")
    return Finding(
        "holidays",
        ok=today.month < MISSED_FROM_MONTH,
        found=f"next year's holiday table is missing ({missing})",
        remedy=f"Once it is announced: /holidays in the chat, or `tongdao holidays template {missing}`.",
    )


async def _font(_settings: Settings) -> Finding:
    if poll_chart.has_chinese():
        return Finding("font", ok=True, found="pictures of results carry the options")
    remedy = "Install a font with Chinese, for example fonts-noto-cjk."
    return Finding(
        "font", ok=True, found="none with Chinese: pictures of results carry numbers", remedy=remedy
    )


async def _sqlite(settings: Settings) -> Finding:
    used = "one writer" if settings.database.startswith("sqlite") else "for the chat server alone"
    return Finding("SQLite", ok=True, found=f"{sqlite3.sqlite_version}, {used}")


async def is_running(settings: Settings) -> bool:
    """Say whether a process of the bridge runs, on whatever machine and port, or a chat server on this one."""
    return await is_bridge_running(settings) or (await _webchat(settings)).ok


async def is_bridge_running(settings: Settings) -> bool:
    """Say whether a process of the bridge runs; one that cannot write its heartbeat still answers on its port."""
    return await fleet.runs_on(settings.database) or await _answers(settings)


async def _answers(settings: Settings) -> bool:
    url = f"http://127.0.0.1:{settings.http_port}/healthz"
    try:
        async with aiohttp.ClientSession(timeout=PATIENCE) as http, http.get(url) as response:
            return "alive" in await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError, TypeError):
        return False


async def _webchat(settings: Settings) -> Finding:
    url = f"http://127.0.0.1:{settings.webchat_port}/healthz"
    try:
        async with aiohttp.ClientSession(timeout=PATIENCE) as http, http.get(url) as response:
            return Finding("web chat", ok=response.ok, found=settings.webchat_url)
    except (aiohttp.ClientError, TimeoutError):
        remedy = "Start it with `tongdao run` or `tongdao webchat`."
        return Finding("web chat", ok=False, found=NOT_RUNNING, remedy=remedy)


async def _account(account: AccountSettings) -> Finding:
    """Ask the messenger who the bot is; the token appears in no finding."""
    name = f"account {account.name}"
    url = f"{account.base_url}/bot{account.token.get_secret_value()}/getMe"
    try:
        async with (
            aiohttp.ClientSession(timeout=PATIENCE) as http,
            http.get(url, proxy=account.proxy) as response,
        ):
            answer = await response.json()
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return Finding(name, ok=False, found="no answer", remedy="Check base_url, proxy and the network.")
    if not answer.get("ok"):
        found = str(answer.get("description", response.status))
        return Finding(name, ok=False, found=found, remedy="Check the token.")
    return Finding(name, ok=True, found=f"@{answer['result'].get('username')}")


CHECKS: dict[str, Check] = {
    "secret key": _key,
    "data folder": _folder,
    "database": _schema,
    "holidays": _holidays,
    "SQLite": _sqlite,
    "bridge": doctor_fleet.bridge,
    "tick lag": doctor_fleet.ticks,
    "clock": doctor_fleet.clock,
    "inbox lag": doctor_rows.updates,
    "oldest undelivered": doctor_rows.undelivered,
    "rate": doctor_rows.rate,
    "pace": doctor_rows.pace,
    "429s": doctor_rows.refusals,
    "outcomes": doctor_rows.outcomes,
    "unknowns": doctor_rows.unknowns,
    "slices": doctor_rows.slices,
    "backup": doctor_rows.backup,
    "web chat": _webchat,
    "font": _font,
}

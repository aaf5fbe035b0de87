"""Independent checks of an installation, each with its remedy."""

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp

from bot import archive
from bot.settings import DEMO_KEY, AccountSettings, Settings
from domain.clock import day_of
from domain.holidays import Calendar
from services import poll_chart
from storage import figures, holidays, inbox, schema
from storage.database import Database

NOT_RUNNING = "not running"
LEAST_FREE = 1024**3  # bytes
MISSED_FROM_MONTH = 12
LATE = timedelta(minutes=10)
LAGGING = timedelta(minutes=2)
BACKUP_OLD = timedelta(days=2)
PATIENCE = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `remedy` is empty when all is well."""

    check: str
    ok: bool
    found: str
    remedy: str = ""


Check = Callable[[Settings], Awaitable[Finding]]


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


async def _sqlite(_settings: Settings) -> Finding:
    return Finding("SQLite", ok=True, found=f"{sqlite3.sqlite_version}, one writer")


async def _running(settings: Settings) -> Finding:
    url = f"http://127.0.0.1:{settings.http_port}/readyz"
    try:
        async with aiohttp.ClientSession(timeout=PATIENCE) as http, http.get(url) as response:
            problems = (await response.json()).get("problems", {})
    except (aiohttp.ClientError, TimeoutError):
        return Finding("bridge", ok=False, found=NOT_RUNNING, remedy="Start it with `tongdao run`.")
    found = "; ".join(f"{name}: {what}" for name, what in problems.items()) or "ready"
    return Finding("bridge", ok=not problems, found=found, remedy="See its log." if problems else "")


async def is_running(settings: Settings) -> bool:
    """Say whether a bridge or a chat server answers on our ports."""
    return any([(await _running(settings)).found != NOT_RUNNING, (await _webchat(settings)).ok])


async def is_bridge_running(settings: Settings) -> bool:
    """Say whether a bridge answers on our port."""
    return (await _running(settings)).found != NOT_RUNNING


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


async def _deliveries(settings: Settings) -> Finding:
    """Look at what is due and does not leave, and at accounts that stopped."""
    database, now = Database(settings.database), datetime.now(UTC)
    try:
        async with database.read() as session:
            slices = await figures.open_slices(session, now)
            outcomes = await figures.outcomes(session)
            paces = await figures.paces(session)
    finally:
        await database.close()
    pace = ", ".join(f"{each.account} {each.rate:.0f}/s" for each in paces)
    unknown = outcomes["unknown"]
    found = f"{outcomes['waiting']:,} wait, {unknown:,} unknown" + (f"; pace {pace}" if pace else "")
    stopped = [each.account for each in paces if each.halted]
    if stopped:
        remedy = "See `tongdao accounts list`; `tongdao accounts resume NAME` lets it go again."
        return Finding("deliveries", ok=False, found=f"{found}; stopped: {', '.join(stopped)}", remedy=remedy)
    late = slices.oldest_due is not None and now - slices.oldest_due > LATE
    remedy = "Nothing may be working: start a worker, and see its log." if late else ""
    return Finding("deliveries", ok=not late, found=found, remedy=remedy)


async def _inbox(settings: Settings) -> Finding:
    database, now = Database(settings.database), datetime.now(UTC)
    try:
        async with database.read() as session:
            oldest = await inbox.oldest_waiting(session)
            aside = (await inbox.counts(session)).get("quarantined", 0)
    finally:
        await database.close()
    late = oldest is not None and now - oldest > LAGGING
    found = f"oldest since {oldest:%H:%M:%S} UTC" if oldest else "nothing waits"
    if late:
        return Finding(
            "inbox", ok=False, found=found, remedy="The bot does not keep up, or none runs: see its log."
        )
    if aside:
        return Finding(
            "inbox", ok=False, found=f"{aside} set aside", remedy="They failed three times: see the log."
        )
    return Finding("inbox", ok=True, found=found)


async def _backup(settings: Settings) -> Finding:
    last = archive.last_made(settings)
    if last is None:
        return Finding(
            "backup", ok=False, found="none was made", remedy="Run `tongdao backup FILE` every night."
        )
    old = datetime.now(UTC) - last > BACKUP_OLD
    remedy = "Make one with `tongdao backup FILE`, best every night." if old else ""
    return Finding("backup", ok=not old, found=f"{last:%Y-%m-%d %H:%M} UTC", remedy=remedy)


CHECKS: dict[str, Check] = {
    "secret key": _key,
    "data folder": _folder,
    "database": _schema,
    "holidays": _holidays,
    "SQLite": _sqlite,
    "inbox": _inbox,
    "deliveries": _deliveries,
    "backup": _backup,
    "bridge": _running,
    "web chat": _webchat,
    "font": _font,
}

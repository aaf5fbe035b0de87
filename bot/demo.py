"""The demo: a synthetic city on an empty database, its people known to the chat server, three links to look through."""

import base64
import os
import secrets
from typing import Any

from pydantic import SecretStr
from rich.console import Console

from bot.settings import DEMO_KEY, Settings
from bot.webchat_account import BOT_USERNAME, Operator
from services import demo_data
from storage.database import Database

PEOPLE_AT_ONCE = 1000


class DemoMeetsTelegram(Exception):  # noqa: N818 - a fact
    """A database with demo data never talks to Telegram: its people do not exist."""


def settings_of(settings: Settings) -> Settings:
    """Return the demo's settings: a key of its own, no quiet hours and no rest days, so that a notice is seen at any time."""
    changes: dict[str, Any] = {"quiet_hours": "off", "rest_days": "off"}
    if not settings.secret_key.get_secret_value():
        changes["secret_key"] = SecretStr(_demo_key(settings))
    return settings.model_copy(update=changes)


def _demo_key(settings: Settings) -> str:
    path = settings.data_dir / DEMO_KEY
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        key = "demo:" + base64.b64encode(secrets.token_bytes(32)).decode()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key)
    return path.read_text().strip()


async def introduce(database: Database, operator: Operator) -> None:
    """Tell the chat server who the demo's people are, under the ids that their links name."""
    everybody = await demo_data.chats(database, limit=1_000_000)
    for start in range(0, len(everybody), PEOPLE_AT_ONCE):
        batch = everybody[start : start + PEOPLE_AT_ONCE]
        await operator.put_people(
            [
                {
                    "id": person.chat_id,
                    "name": person.name,
                    "language": "en" if person.language == "en" else "zh",
                    "bot": BOT_USERNAME,
                }
                for person in batch
            ]
        )


async def links(database: Database, operator: Operator) -> dict[str, str]:
    """Make a fresh sign-in link for each of the three people to look through."""
    people = await demo_data.people(database)
    found = {}
    for role in ("city_secretary", "branch_secretary", "member"):
        person = getattr(people, role)
        found[role] = await operator.sign_in_link(person.chat_id, bot=BOT_USERNAME, start="")
    return found


def show(console: Console, found: dict[str, str], settings: Settings) -> None:
    """Say where to go: one line a link, whole, so that it can be copied from any terminal."""
    titles = {
        "city_secretary": "市委书记 City secretary",
        "branch_secretary": "支部书记 Branch secretary",
        "member": "普通党员 Ordinary member",
    }
    console.rule("[bold]通道 Tongdao · 演示数据 DEMO DATA[/bold]", style="yellow")
    for role, url in found.items():
        console.print(f"[bold]{titles[role]}[/bold]\n  {url}", soft_wrap=True, highlight=False)
    console.print(
        "[dim]每个链接只能用一次，用完重新启动即可；演示中没有静默时段和休息日。\n"
        "Each link works once; start again for fresh ones. The demo has no quiet hours and no rest days.\n"
        f"健康检查 Health: http://127.0.0.1:{settings.http_port}/readyz · 停止 Stop: Ctrl-C[/dim]",
        soft_wrap=True,
        highlight=False,
    )
    console.rule(style="yellow")

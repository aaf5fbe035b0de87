"""Polls as people see them: the hall's services set into the toolbox of a chat, and what was pushed shown in it."""

from pathlib import Path
from typing import Any

from handlers.notice_files import send_content
from services.audit import Audit
from services.suggestions import Suggestions
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.fakes import Chat
from tests.notice_world import bridge
from tests.poll_world import Hall, hall
from tests.town import Town


async def set_up(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, folder: Path) -> Hall:
    """Give the chat's toolbox polls and notices that share one delivery's channel."""
    noticing = await bridge(town, sealer, clock, folder)
    made = await hall(town, sealer, clock, folder)
    toolbox.notices, toolbox.audiences = noticing.notices, noticing.audiences
    toolbox.repeats = noticing.repeats
    toolbox.polls, toolbox.delivery = made.polls, made.delivery
    audit = Audit(database=town.database, clock=clock, sealer=sealer)
    toolbox.suggestions = Suggestions(
        database=town.database, clock=clock, audit=audit, delivery=made.delivery
    )
    return made


async def two_secretaries(town: Town, toolbox: Any, sealer: Sealer, clock: HandClock, folder: Path) -> Hall:
    """Set polls up for the secretaries of a branch of six (chat 100) and of its county (chat 200)."""
    await town.link("branch_secretary", 100)
    await town.link("county_secretary", 200)
    made = await set_up(town, toolbox, sealer, clock, folder)
    await made.people("north", 6)
    return made


async def arrive(chat: Chat, made: Hall, toolbox: Any) -> None:
    """Show what the channel was given last, as the messenger does."""
    content = made.channel.sent[-1].content
    await send_content(chat.world.bot, chat.user.id, chat.world.account_id, toolbox.notices, content)

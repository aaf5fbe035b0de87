"""The first rows of a real bridge: the root organisation, its secretary, and a way into the web chat for them.

Whoever sits at the server's console is the second proof that a first secretary needs; everybody after them
is invited and approved in the chat.
"""

from bot import webchat_account
from bot.app import now
from bot.settings import WEBCHAT, Settings
from domain.clock import day_of
from storage import schema, setup
from storage.database import Database


async def plant(settings: Settings, root: str, person: str) -> str:
    """Write them into an empty database; returns a sign-in link that works once, within 72 hours."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    moment = now()
    chat_id, link = webchat_account.first_person(settings, person)
    try:
        await schema.upgrade(database)
        async with database.begin() as session:
            await setup.plant(
                session,
                root=root,
                person=person,
                account=WEBCHAT,
                chat_id=chat_id,
                today=day_of(moment),
                now=moment,
            )
    finally:
        await database.close()
    return link

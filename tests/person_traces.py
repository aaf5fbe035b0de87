"""A member who has left a trace in every table that there is, under a name and numbers found nowhere else."""

from datetime import date

from sqlalchemy import insert, update

from services.audit import Audit
from storage.sealing import Sealer
from tests.factories import T, make_link, make_subscription, make_topic
from tests.poll_world import Hall

NAME, CHAT, PHONE = "欧阳忘忧", 777000111, "13805749876"


async def leave_traces(town: Hall, sealer: Sealer) -> int:
    """Let 王芳 become that member; returns her number."""
    number = town.town.members["wang"]
    async with town.database.begin() as session:
        values = {
            "name": NAME,
            "phone_sealed": sealer.seal(PHONE.encode(), "member.phone"),
            "phone_index": sealer.blind_index(PHONE),
            "phone_hint": PHONE[-4:],
            "joined": date(2001, 7, 1),
            "roster_number": "A-4711",
        }
        await session.execute(update(T["member"]).where(T["member"].c.id == number).values(values))
        address = {"account_id": town.town.account_id, "chat_id": CHAT}
        await make_link(session, member=number, chat_id=CHAT, account=town.town.account_id)
        await make_subscription(session, member=number, topic=await make_topic(session))
        await session.execute(insert(T["chat"]).values(**address, language="en"))
        dialogue = {"user_id": CHAT, "state": "x", "data": NAME, "changed_at": town.clock()}
        await session.execute(insert(T["fsm"]).values(**address, **dialogue))
        for update_id, state in enumerate(("done", "quarantined")):
            kept = {"update_id": update_id, "state": state, "raw": NAME.encode(), "received_at": town.clock()}
            await session.execute(insert(T["inbox"]).values(**address, **kept, attempts=0, error=""))
    audit = Audit(database=town.database, clock=town.clock, sealer=sealer)
    async with town.database.begin() as session:
        about = {"subject": "member", "subject_id": number, "person_id": number, "detail": {"name": NAME}}
        await audit.note(session, actor_id=None, action="member.renamed", **about)
    return number

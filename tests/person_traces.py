"""A member who has left a trace in every table that there is, under a name and numbers found nowhere else."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert, update

from services.audit import Audit
from storage.database import Session
from storage.sealing import Sealer
from tests.factories import T, make_grant, make_link, make_subscription, make_topic
from tests.poll_world import Hall

NAME, CHAT, PHONE = "欧阳忘忧", 777000111, "13805749876"
DAY = date(2026, 3, 1)


async def leave_traces(town: Hall, sealer: Sealer) -> int:
    """Let 王芳 become that member; returns her number."""
    number = town.town.members["wang"]
    async with town.database.begin() as session:
        await _as_a_person(session, town, sealer, number)
        await _in_the_chat(session, town, number)
        await _in_the_organisation(session, town, number)
        await _in_what_was_sent(session, town, number)
        await _in_a_roster(session, town, sealer, number)
        audit = Audit(database=town.database, clock=town.clock, sealer=sealer)
        about = {"subject": "member", "subject_id": number, "person_id": number, "detail": {"name": NAME}}
        await audit.note(session, actor_id=None, action="member.renamed", **about)
    return number


async def _put(session: Session, table: str, **values: Any) -> None:
    await session.execute(insert(T[table]).values(values))


async def _as_a_person(session: Session, town: Hall, sealer: Sealer, number: int) -> None:
    values = {
        "name": NAME,
        "phone_sealed": sealer.seal(PHONE.encode(), "member.phone"),
        "phone_index": sealer.blind_index(PHONE),
        "phone_hint": PHONE[-4:],
        "joined": date(2001, 7, 1),
        "roster_number": "A-4711",
    }
    await session.execute(update(T["member"]).where(T["member"].c.id == number).values(values))
    await make_subscription(session, member=number, topic=await make_topic(session))
    await _put(session, "service_lead", member_id=number, days=3)
    address = {"digest": NAME.encode(), "language": "en", "since": town.clock()}
    await _put(session, "calendar_address", member_id=number, **address)
    signed = {"digest": f"{NAME}!".encode(), "language": "en", "at_home": True, "made_at": town.clock()}
    await _put(session, "sign_in", member_id=number, **signed)
    await _put(session, "daily_digest", member_id=number)


async def _in_the_chat(session: Session, town: Hall, number: int) -> None:
    address = {"account_id": town.town.account_id, "chat_id": CHAT}
    now = town.clock()
    await make_link(session, member=number, chat_id=CHAT, account=town.town.account_id)
    invitation = {"code_digest": NAME.encode(), "form": "link", "created_at": now, "expires_at": now}
    await _put(session, "invitation", member_id=number, **invitation)
    await _put(session, "chat", **address, language="en")
    await _put(session, "fsm", **address, user_id=CHAT, state="x", data=NAME, changed_at=now)
    for update_id, state in enumerate(("done", "quarantined")):
        kept = {"state": state, "raw": NAME.encode(), "received_at": now, "attempts": 0, "error": ""}
        await _put(session, "inbox", **address, update_id=update_id, **kept)


async def _in_the_organisation(session: Session, town: Hall, number: int) -> None:
    place = {"organisation_id": town.town.nodes["north"]}
    await make_grant(session, member=number, organisation=town.town.nodes["north"], role="observer")
    await _put(
        session, "seat", **place, member_id=number, post=NAME, part_time=False, sending_unit="", since=DAY
    )
    group = {"title": NAME, "tag": "", "state": "open", "answer": ""}
    await _put(session, "suggestion_group", id=77, **place, **group)
    await _put(session, "suggestion", id=77, **place, member_id=number, group_id=77, text=NAME, day=DAY)


async def _in_what_was_sent(session: Session, town: Hall, number: int) -> None:
    now = town.clock()
    notice = {
        "organisation_id": town.town.nodes["north"],
        "author_id": number,
        "entities": [],
        "media_name": "",
    }
    for identity, state, text in ((77, "draft", NAME), (78, "sent", "通知")):
        more = {"text": text, "needs_confirmation": True, "created_at": now}
        await _put(session, "notice", id=identity, state=state, **notice, **more)
    dispatch = {
        "source": "notice",
        "source_id": 78,
        "lane": "normal",
        "unknown_policy": "park",
        "created_at": now,
    }
    known = {"account_id": town.town.account_id, "digest": "film", "kind": "message", "file_id": "4711"}
    await _put(session, "media_file", **known, chat_id=CHAT)
    shown = {"progress_account_id": town.town.account_id, "progress_chat_id": CHAT, "progress_message_id": 1}
    ended = {"state": "done", "pause_reason": "", "generation": 1, "planned": 1}
    await _put(session, "dispatch", id=78, **dispatch, **ended, **shown)
    sent = {"state": "sent", "reason": "", "attempt": 1, "chat_id": CHAT, "message_id": 4711, "at": now}
    await _put(session, "delivery", id=78, dispatch_id=78, member_id=number, **sent)
    await _put(session, "acknowledgement", notice_id=78, member_id=number, at=now + timedelta(minutes=5))
    await _put(session, "digest", id=77, at=now)
    await _put(session, "digest_recipient", member_id=number, day=DAY, digest_id=77)
    await _put(session, "digest_item", delivery_id=78, member_id=number, due_at=now)


async def _in_a_roster(session: Session, town: Hall, sealer: Sealer, number: int) -> None:
    now = town.clock()
    place = {"organisation_id": town.town.nodes["north"], "scope": town.town.paths["north"]}
    file = {"token": "t", "file_name": "a.csv", "look": "{}", "plan": "{}", "figures": "", "staged": 1}
    times = {"created_at": now, "touched_at": now}
    await _put(session, "roster_import", id=77, **place, **file, state="ready", **times)
    texts = (
        "reason",
        "what",
        "deed",
        "place",
        "number",
        "phone_hint",
        "standing",
        "name_en",
        "kind",
        "level",
    )
    empty = dict.fromkeys((*texts, "mode", "contact"), "")
    known = {"subject_id": number, "name": NAME, "phone_index": sealer.blind_index(PHONE)}
    await _put(session, "roster_row", import_id=77, line=2, depth=0, **{**empty, **known})

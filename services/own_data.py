"""My own data: one document with everything that is stored of a member, and a readable index before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from domain.accounts import Account
from domain.clock import Clock
from domain.permissions import Actor
from domain.polls import chosen_in
from locales import LANGUAGES, speak
from services.poll_booth import owner_of, text_in
from storage import audit, ballots, own_data
from storage.database import Database, Session
from storage.own_data import LEFT_OUT, SECTIONS, Own
from storage.sealing import Sealer

PHONE = "member.phone"
WAITING = "waiting_suggestions"
REASONS = ("anonymous", *sorted(set(LEFT_OUT.values())))
SPELT_OUT = frozenset({"options"})
"""Columns that are read to say what a number means, and stand in no row."""
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Document:
    """The document, and how many entries each of its sections has."""

    content: bytes
    counts: Mapping[str, int]
    made_at: datetime


class OwnData:
    """Gathers what is stored of a person, for that person alone."""

    def __init__(self, *, database: Database, clock: Clock, sealer: Sealer) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer

    def may_send(self, account: Account) -> bool:
        """Say whether this messenger may carry the document: one abroad may not (DOMAIN.md 4)."""
        return account.at_home

    async def document(self, actor: Actor) -> Document:
        """Write everything down; reading one's own leaves no trace."""
        now = self._clock()
        async with self._database.read() as session:
            own = Own(actor.member_id, await own_data.chats_of(session, actor.member_id))
            found = {section.name: await own_data.rows(session, section, own) for section in SECTIONS}
            found[WAITING] = await self._waiting(session, actor.member_id)
            await self._opened(session, actor.member_id, found)
        counts = {name: len(rows) for name, rows in found.items()}
        whole = {
            "index": [_entry(name, len(rows)) for name, rows in found.items()],
            "left_out": [_said(f"own_data.left_out.{reason}") for reason in REASONS],
            "fields": _fields(found),
            "about": {"made_at": now, **_said("own_data.about")},
            "data": found,
        }
        return Document(orjson.dumps(whole, option=orjson.OPT_INDENT_2), counts, now)

    async def _opened(self, session: Session, member_id: int, found: Mapping[str, Rows]) -> None:
        """Open what is sealed with the bridge's key or the person's own, and spell out what is a number."""
        for row in found["record"]:
            sealed = row["phone"]
            row["phone"] = None if sealed is None else self._sealer.open(sealed, PHONE).decode()
        for row in found["readings"]:
            row["detail"] = await self._detail(session, member_id, row["detail"])
        for row in found["named_votes"]:
            options, chosen = row.pop("options"), chosen_in(row.pop("chosen"))
            row["chosen"] = [options[number] for number in sorted(chosen) if number < len(options)]

    async def _detail(self, session: Session, member_id: int, sealed: bytes | None) -> Any:
        if sealed is None:
            return None
        return await audit.detail_of(session, self._sealer, sealed, member_id)

    async def _waiting(self, session: Session, member_id: int) -> Rows:
        """Return what this person suggested in polls that are still open, anonymous ones too."""
        found: Rows = []
        for poll_id in await own_data.polls_with_suggestions(session):
            owner = owner_of(self._sealer, poll_id, member_id)
            waiting = await ballots.suggestions(session, [poll_id], [owner])
            found.extend(
                {"poll_id": poll_id, "text": text_in(self._sealer, sealed, poll_id)[1]}
                for sealed in waiting.values()
            )
        return found


def _fields(found: Mapping[str, Rows]) -> dict[str, dict[str, str]]:
    """Say what the names of the fields mean that stand in this document."""
    names = {name for rows in found.values() for row in rows for name in row}
    return {name: _said(f"own_data.field.{name}") for name in sorted(names)}


def _entry(name: str, count: int) -> dict[str, Any]:
    return {"section": name, **_said(f"own_data.section.{name}"), "entries": count}


def _said(key: str) -> dict[str, str]:
    """Say a thing in every language, as the person may hand the document on."""
    return {language: speak(language)(key) for language in LANGUAGES}

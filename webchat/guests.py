"""Sign-in of people: one-time links, sessions, joining by an invitation; all secrets are hashed at rest."""

import secrets
from collections import deque
from typing import Any

from webchat.errors import PeopleError
from webchat.fields import whole
from webchat.store import Row, digest
from webchat.town import Town

LINK_LIFE = 72 * 3600  # seconds
NAME_LIMIT = 64
START_LIMIT = 64
HOUR = 3600
FIRST_GUEST = 9_000_000_000  # people who join get ids far above those an operator gives


class Guests:
    def __init__(self, town: Town) -> None:
        self._town = town
        self._arrivals: dict[str, deque[float]] = {}

    def put_person(self, given: dict[str, Any]) -> int:
        """Create a person, or update the one with this id."""
        name, phone = clean_name(given.get("name")), given.get("phone")
        number = whole(given["id"]) if given.get("id") is not None else None
        if number is None and given.get("id") is not None:
            raise PeopleError(400, "bad_id")
        if phone is not None and not isinstance(phone, str):
            raise PeopleError(400, "bad_phone")
        language = given.get("language") if given.get("language") in ("zh", "en") else "zh"
        with self._town.store.begin():
            inserted = self._town.store.insert(
                "INSERT INTO person (id, name, phone, language) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET name = excluded.name, phone = excluded.phone",
                number, name, phone, language,
            )  # fmt: skip
            number = inserted if number is None else number
            for bot in self._town.store.all("SELECT id FROM bot WHERE username = ?", given.get("bot") or ""):
                self._town.open_chat(bot["id"], number)
        return number

    def sign_in_link(self, person_id: int, given: dict[str, Any]) -> dict[str, Any]:
        if self._town.person(person_id) is None:
            raise PeopleError(404, "unknown_person")
        code = secrets.token_urlsafe(24)
        expires = self._town.now() + int(given.get("ttl_seconds") or LINK_LIFE)
        self._town.store.run(
            "INSERT INTO sign_in VALUES (?, ?, ?, ?, ?, NULL)",
            digest(code), person_id, given.get("bot"), given.get("start"), expires,
        )  # fmt: skip
        return {"url": f"{self._town.config.public_url}/in/{code}", "expires_at": expires}

    def redeem(self, code: str) -> dict[str, Any]:
        """Use a one-time code; `PeopleError` 410 when it is used, expired or unknown: told alike."""
        now = self._town.now()
        row = self._town.store.one(
            "UPDATE sign_in SET used_at = ? WHERE code_digest = ? AND used_at IS NULL AND expires_at > ?"
            " RETURNING person_id, bot, start",
            now, digest(code), now,
        )  # fmt: skip
        if row is None:
            raise PeopleError(410, "link_used_or_expired")
        start = {"bot": row["bot"], "payload": row["start"] or ""} if row["bot"] else None
        return self._admit(row["person_id"], start)

    def join(self, given: dict[str, Any], ip: str) -> dict[str, Any]:
        """Admit a newcomer who holds an invitation; the bot decides what the invitation is worth."""
        start = given.get("start")
        if not isinstance(start, str) or not 0 < len(start) <= START_LIMIT:
            raise PeopleError(400, "invitation_needed")
        bot = self._town.bot_named(str(given.get("bot")))
        self._count_arrival(ip)
        with self._town.store.begin():
            row = self._town.store.one(
                "SELECT max(?, coalesce(max(id), 0)) + 1 AS id FROM person", FIRST_GUEST
            )
            assert row is not None  # noqa: S101 - an aggregate always has a row
            number = self.put_person({**given, "id": row["id"], "phone": None, "bot": None})
        return self._admit(number, {"bot": bot["username"], "payload": start})

    def _count_arrival(self, ip: str) -> None:
        now = self._town.config.clock()
        for other in [ip for ip, times in self._arrivals.items() if times[-1] < now - HOUR]:
            del self._arrivals[other]
        arrivals = self._arrivals.get(ip, deque())
        while arrivals and arrivals[0] < now - HOUR:
            arrivals.popleft()
        if len(arrivals) >= self._town.config.sign_up_per_hour_per_ip:
            raise PeopleError(429, "too_many_sign_ups")
        arrivals.append(now)
        self._arrivals[ip] = arrivals

    def _admit(self, person_id: int, start: dict[str, str] | None) -> dict[str, Any]:
        token = secrets.token_urlsafe(32)
        self._town.store.run(
            "INSERT INTO session VALUES (?, ?, ?)", digest(token), person_id, self._town.now()
        )
        person = self._town.person(person_id)
        assert person is not None  # noqa: S101 - referenced by the code
        return {"token": token, "person": as_me(person), "start": start}

    def of_session(self, token: str) -> Row | None:
        return self._town.store.one(
            "SELECT person.* FROM session JOIN person ON person.id = person_id WHERE digest = ?",
            digest(token),
        )

    def leave(self, token: str) -> None:
        self._town.store.run("DELETE FROM session WHERE digest = ?", digest(token))


def as_me(person: Row) -> dict[str, Any]:
    phone = person["phone"]
    masked = f"{phone[:3]}****{phone[-4:]}" if phone else None
    return {
        "id": person["id"],
        "name": person["name"],
        "language": person["language"],
        "phone_masked": masked,
    }


def clean_name(given: Any) -> str:
    name = " ".join(str(given or "").split())
    if not 0 < len(name) <= NAME_LIMIT:
        raise PeopleError(400, "bad_name")
    return name

"""The audit's hash chain: how entries are put into canonical bytes, and how a batch is linked to the one before."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

GENESIS = bytes(32)
"""What the first seal links to."""

BATCH = 1000
"""At most so many entries under one seal."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to what, when; `detail_sealed` is cipher text, so that dropping a key breaks no seal."""

    id: int
    at: datetime
    actor_id: int | None
    action: str
    subject: str
    subject_id: int
    organisation_id: int | None
    detail_sealed: bytes | None

    def canonical(self) -> bytes:
        detail = self.detail_sealed.hex() if self.detail_sealed is not None else None
        parts = [
            self.id,
            self.at.isoformat(timespec="microseconds"),
            self.actor_id,
            self.action,
            self.subject,
            self.subject_id,
            self.organisation_id,
            detail,
        ]
        return json.dumps(parts, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Seal:
    """One link of the chain over the entries that carry its id."""

    id: int
    at: datetime
    entries: int
    first_entry_id: int
    last_entry_id: int
    previous: bytes
    head: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """Where the chain no longer holds: the seal, and what is wrong with it."""

    seal_id: int
    what: str  # entries_changed, link_changed


def head_of(previous: bytes, entries: Iterable[Entry]) -> bytes:
    """Hash the previous head and the entries, each preceded by its length, in the order given."""
    state = hashlib.sha256(previous)
    for entry in entries:
        content = entry.canonical()
        state.update(len(content).to_bytes(8, "big"))
        state.update(content)
    return state.digest()


def check(seal: Seal, previous: bytes, entries: list[Entry]) -> Broken | None:
    """Compare a seal with the head before it and the entries found under it."""
    if seal.previous != previous:
        return Broken(seal.id, "link_changed")
    span = (len(entries), entries[0].id, entries[-1].id) if entries else (0, 0, 0)
    if span != (seal.entries, seal.first_entry_id, seal.last_entry_id):
        return Broken(seal.id, "entries_changed")
    if head_of(previous, entries) != seal.head:
        return Broken(seal.id, "entries_changed")
    return None

"""A backup: one archive with both databases, the media and a manifest of checksums. The secret key stays apart."""

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.settings import Settings
from domain.holidays import Calendar
from services.forgetting import Forgetting
from storage import backup, digests, dispatches, holidays, ledger, notices, nudges, polls, schedules, schema
from storage.database import Database

MANIFEST = "manifest.json"
DUMP = "bridge.jsonl"
WEBCHAT = "webchat.db"
FOLDERS = ("media", "webchat-media")
LAST = "last-backup"
"""File of the data folder that says when the last backup was made."""
TOKENS = ("webchat-bot.json", "webchat-operator-token")


class BackupDamaged(Exception):  # noqa: N818 - a fact
    """The archive is not a whole backup of ours; nothing was changed."""


class OtherSchema(Exception):  # noqa: N818 - a fact
    """The backup was made by another version of the schema; use the program that made it, then upgrade."""


@dataclass(frozen=True, slots=True)
class Made:
    path: Path
    rows: int
    files: int


async def make(settings: Settings, target: Path, at: datetime) -> Made:
    """Write the archive beside its place and move it there when it is whole."""
    database = Database(settings.database)
    with tempfile.TemporaryDirectory(prefix="tongdao-backup-") as name:
        folder = Path(name)
        try:
            version = await schema.current(database)
            rows = await backup.dump(database, folder / DUMP)
        finally:
            await database.close()
        if (settings.data_dir / WEBCHAT).exists():
            backup.copy_sqlite(settings.data_dir / WEBCHAT, folder / WEBCHAT)
        for each in (*FOLDERS, *TOKENS):
            _copy(settings.data_dir / each, folder / each)
        sums = {str(path.relative_to(folder)): checksum(path) for path in _files(folder)}
        manifest = {"made_at": at.isoformat(), "schema": version, "rows": rows, "sha256": sums}
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
        part = target.with_name(target.name + ".part")
        with tarfile.open(part, "w:gz") as archive:
            for path in [folder / MANIFEST, *(folder / each for each in sums)]:
                archive.add(path, str(path.relative_to(folder)))
        part.chmod(0o600)
        part.replace(target)
    (settings.data_dir / LAST).write_text(at.isoformat(), encoding="utf-8")
    return Made(target, rows, len(sums))


def last_made(settings: Settings) -> datetime | None:
    """Return when the last backup of this data folder was made, if ever."""
    try:
        return datetime.fromisoformat((settings.data_dir / LAST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


async def restore(settings: Settings, source: Path, at: datetime) -> int:
    """Put a checked archive in the place of what is there; returns how many rows came back.

    What was under way or due since then has perhaps gone out: it waits for a person's word, so that nobody
    gets it twice. Who was forgotten meanwhile is forgotten again.
    """
    with tempfile.TemporaryDirectory(prefix="tongdao-restore-") as name:
        folder = Path(name)
        manifest = unpack(source, folder)
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        database = Database(settings.database)
        try:
            await schema.upgrade(database)
            if manifest["schema"] != schema.head():
                raise OtherSchema
            forgetting = _forgetting(settings, database, at)
            await forgetting.catch_up()
            with (folder / DUMP).open(encoding="utf-8") as lines:
                rows = await backup.load(database, lines)
            async with database.begin() as session:
                await dispatches.pause_all(session, "restored")
                await notices.recall_due(session, at)
                await polls.recall_due(session, at)
                await nudges.pass_over_due(session, at)
                await digests.pass_over_due(session, at)
                calendar = Calendar(await holidays.read_all(session))
                await schedules.pass_over_due(session, calendar, at)
            await forgetting.catch_up()
        finally:
            await database.close()
        for each in (WEBCHAT, *FOLDERS, *TOKENS):
            _replace(folder / each, settings.data_dir / each)
    return rows


def _forgetting(settings: Settings, database: Database, at: datetime) -> Forgetting:
    """Return what forgets again; without a key, what lies under seal waits for the bridge to start with one."""
    sealer = settings.sealer() if settings.secret_key.get_secret_value() else None
    return Forgetting(
        database=database, clock=lambda: at, sealer=sealer, file=settings.data_dir / ledger.FILE
    )


def unpack(source: Path, folder: Path) -> dict[str, str]:
    """Unpack and check every file against the manifest; `BackupDamaged` before anything is touched."""
    try:
        with tarfile.open(source, "r:gz") as archive:
            archive.extractall(folder, filter="data")
        manifest: dict[str, dict[str, str]] = json.loads((folder / MANIFEST).read_text())
        sums = manifest["sha256"]
        found = {str(path.relative_to(folder)): checksum(path) for path in _files(folder)}
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError) as error:
        raise BackupDamaged from error
    found.pop(MANIFEST, None)
    if found != sums or DUMP not in sums:
        raise BackupDamaged
    return manifest  # type: ignore[return-value]


def checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.exists():
        shutil.copy2(source, target)


def _replace(source: Path, target: Path) -> None:
    if not source.exists():
        return
    if target.is_dir():
        shutil.rmtree(target)
    for leftover in (target, *(target.with_name(target.name + end) for end in ("-wal", "-shm"))):
        leftover.unlink(missing_ok=True)
    _copy(source, target)

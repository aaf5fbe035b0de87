"""Files: bytes by digest on disk, their rows in the store, and the size of a picture from its header."""

import hashlib
import mimetypes
import secrets
import struct
from pathlib import Path
from typing import Any

from webchat.store import Row, Store

WIDEST = 10_000  # pixels, either way
PHOTO_TYPES = {"image/jpeg", "image/png", "image/gif", "image/webp"}


class Files:
    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, bot_id: int, kind: str, name: str, body: bytes) -> Row | None:
        """Keep bytes as a file of a bot's; `None` when a photo is no picture."""
        size = picture_size(body)
        if kind == "photo" and size is None:
            return None
        name_of_bytes = hashlib.sha256(body).hexdigest()
        path = self._path(name_of_bytes)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            part.write_bytes(body)
            part.rename(path)
        file_id = secrets.token_urlsafe(24)
        mime = (picture_type(body) or "") if kind == "photo" else ""
        mime = mime or mimetypes.guess_type(name)[0] or "application/octet-stream"
        width, height = size if size and kind == "photo" else (None, None)
        self._store.run(
            "INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            file_id, bot_id, kind, name_of_bytes, name, mime, len(body), width, height,
        )  # fmt: skip
        return self.find(file_id)

    def find(self, file_id: str) -> Row | None:
        return self._store.one("SELECT * FROM file WHERE id = ?", file_id)

    def show_to(self, file_id: str, person_id: int) -> None:
        self._store.run("INSERT OR IGNORE INTO file_reader VALUES (?, ?)", file_id, person_id)

    def readable(self, file_id: str, person_id: int) -> Row | None:
        return self._store.one(
            "SELECT file.* FROM file JOIN file_reader ON file_id = id WHERE id = ? AND person_id = ?",
            file_id, person_id,
        )  # fmt: skip

    def path(self, row: Row) -> Path:
        return self._path(row["digest"])

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name


def as_photo(row: Row) -> list[dict[str, Any]]:
    """Word a file as ``PhotoSize`` array; we keep one size."""
    return [{**_ids(row), "width": row["width"], "height": row["height"], "file_size": row["size"]}]


def as_document(row: Row) -> dict[str, Any]:
    return {**_ids(row), "file_name": row["name"], "mime_type": row["mime"], "file_size": row["size"]}


def _ids(row: Row) -> dict[str, str]:
    return {"file_id": row["id"], "file_unique_id": row["digest"][:16]}


def picture_type(body: bytes) -> str | None:
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if body[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    return None


def picture_size(body: bytes) -> tuple[int, int] | None:
    """Read width and height from the header of a PNG, JPEG, GIF or WebP; `None` for anything else."""
    try:
        match picture_type(body):
            case "image/png":
                width, height = struct.unpack(">II", body[16:24])
            case "image/gif":
                width, height = struct.unpack("<HH", body[6:10])
            case "image/jpeg":
                width, height = _jpeg_size(body)
            case "image/webp":
                width, height = _webp_size(body)
            case _:
                return None
    except (struct.error, IndexError):
        return None
    return (width, height) if 0 < width <= WIDEST and 0 < height <= WIDEST else None


FRAME_MARKERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0-15 without DHT, JPG, DAC
FILL = 0xFF


def _jpeg_size(body: bytes) -> tuple[int, int]:
    position = 2
    while True:
        while body[position] == FILL:
            position += 1
        marker = body[position]
        if marker in FRAME_MARKERS:
            height, width = struct.unpack(">HH", body[position + 4 : position + 8])
            return width, height
        position += 1 + struct.unpack(">H", body[position + 1 : position + 3])[0]


def _webp_size(body: bytes) -> tuple[int, int]:
    if body[12:16] == b"VP8X":
        return 1 + int.from_bytes(body[24:27], "little"), 1 + int.from_bytes(body[27:30], "little")
    if body[12:16] == b"VP8L":
        bits = int.from_bytes(body[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", body[26:30])
    return width & 0x3FFF, height & 0x3FFF

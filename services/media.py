"""The media folder: files by the digest of their bytes, written once."""

import asyncio
import hashlib
import os
from pathlib import Path


class MediaStore:
    """Keeps files at ``<folder>/<first two digits>/<sha256>``; the same bytes are one file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest

    async def save(self, data: bytes) -> str:
        """Write the bytes and return their digest; a half-written file is never seen."""
        return await asyncio.to_thread(self._save, data)

    async def read(self, digest: str) -> bytes:
        """Return the bytes; `FileNotFoundError` if there are none."""
        return await asyncio.to_thread(self.path(digest).read_bytes)

    def _save(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        path = self.path(digest)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.write_bytes(data)
            fresh.replace(path)
        return digest

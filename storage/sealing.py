"""Field encryption: AES-GCM with the id of its key inside, and a keyed blind index to find a sealed value by.

A sealed value is one byte length of the key id, the key id, 12 bytes nonce, cipher text with its tag.
Each key is used through two keys derived from it, one to seal and one to index.
"""

import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Sealer:
    """Seals with the current key and opens what any known key has sealed, so that keys can be rotated.

    `keys` go from the newest to the oldest; the oldest indexes, so that a rotation loses no index.
    """

    def __init__(self, keys: dict[str, bytes], current: str) -> None:
        self._ciphers = {name: AESGCM(_derived(key, b"seal")) for name, key in keys.items()}
        self._current = current
        self._index_key = _derived(list(keys.values())[-1], b"index")

    def seal(self, data: bytes, context: str) -> bytes:
        """Encrypt; the same `context` must be named to open it, so that a value cannot be put elsewhere."""
        name = self._current.encode()
        nonce = secrets.token_bytes(_NONCE)
        cipher = self._ciphers[self._current].encrypt(nonce, data, context.encode())
        return bytes([len(name)]) + name + nonce + cipher

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt; `KeyError` for an unknown key, `InvalidTag` for another context or a changed value."""
        name, rest = sealed[1 : 1 + sealed[0]].decode(), sealed[1 + sealed[0] :]
        return self._ciphers[name].decrypt(rest[:_NONCE], rest[_NONCE:], context.encode())

    def blind_index(self, value: str) -> bytes:
        """Return what a value is found by; it tells nothing to who lacks the key."""
        return hmac.digest(self._index_key, value.encode(), hashlib.sha256)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, purpose, hashlib.sha256)

"""Field encryption: contexts, rotation, tampering, and the blind index."""

import pytest
from cryptography.exceptions import InvalidTag

from storage.sealing import Sealer

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def test_what_is_sealed_opens_in_its_context_only():
    sealer = Sealer({"a": OLD}, "a")
    sealed = sealer.seal(b"13805740001", "phone:1")
    assert b"13805740001" not in sealed
    assert sealer.open(sealed, "phone:1") == b"13805740001"
    with pytest.raises(InvalidTag):
        sealer.open(sealed, "phone:2")


def test_the_same_value_never_looks_the_same():
    sealer = Sealer({"a": OLD}, "a")
    assert sealer.seal(b"x", "c") != sealer.seal(b"x", "c")


def test_after_a_rotation_old_values_open_and_new_ones_carry_the_new_key():
    old = Sealer({"a": OLD}, "a")
    rotated = Sealer({"a": OLD, "b": NEW}, "b")
    assert rotated.open(old.seal(b"x", "c"), "c") == b"x"
    with pytest.raises(KeyError):
        old.open(rotated.seal(b"x", "c"), "c")


def test_a_changed_value_does_not_open():
    sealer = Sealer({"a": OLD}, "a")
    sealed = bytearray(sealer.seal(b"x", "c"))
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        sealer.open(bytes(sealed), "c")


def test_a_blind_index_is_stable_under_its_key_and_unlike_under_another():
    first, second = Sealer({"a": OLD}, "a"), Sealer({"a": NEW}, "a")
    assert first.blind_index("+8613805740001") == first.blind_index("+8613805740001")
    assert first.blind_index("+8613805740001") != second.blind_index("+8613805740001")
    assert first.blind_index("+8613805740001") != first.blind_index("+8613805740002")


def test_a_rotation_keeps_the_blind_index():
    old, new = bytes(32), bytes([1]) * 32
    before = Sealer({"old": old}, "old").blind_index("+8613805740001")
    assert Sealer({"new": new, "old": old}, "new").blind_index("+8613805740001") == before

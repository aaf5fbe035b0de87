"""Invitations: how long codes live, what proves a person, and when a chat has to wait."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounts import Address
from domain.invitations import (
    ALPHABET,
    CODE_LENGTH,
    Invitation,
    InvitationExpired,
    InvitationForm,
    InvitationUsed,
    TooManyWrongCodes,
    WrongCodes,
    check_open,
    phone_may_prove,
    read_code,
    spaced,
)

NOW = datetime(2026, 3, 4, tzinfo=UTC)


def test_a_code_has_at_least_128_bits():
    assert len(set(ALPHABET)) ** CODE_LENGTH >= 2**128


@pytest.mark.parametrize("typed", ["", "A" * 25, "A" * 27, "A" * 25 + "+", "A" * 25 + "U", "王" * 26])
def test_what_is_no_code_is_not_looked_up(typed: str):
    assert read_code(typed) is None


@given(st.text(ALPHABET, min_size=CODE_LENGTH, max_size=CODE_LENGTH))
def test_a_code_is_read_as_people_type_it_from_paper(code: str):
    assert read_code(spaced(code)) == code
    assert read_code(f" {code.lower()} ") == code
    assert read_code(code.replace("0", "O").replace("1", "l")) == code


def test_an_invitation_is_used_before_it_is_expired():
    used = Invitation(1, 1, InvitationForm.LINK, NOW - timedelta(days=1), NOW - timedelta(days=2))
    with pytest.raises(InvitationUsed):
        check_open(used, NOW)


def test_an_invitation_ends_at_its_very_instant():
    invitation = Invitation(1, 1, InvitationForm.LINK, NOW, None)
    check_open(invitation, NOW - timedelta(microseconds=1))
    with pytest.raises(InvitationExpired):
        check_open(invitation, NOW)


@pytest.mark.parametrize("form", InvitationForm)
@pytest.mark.parametrize("verifies", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_a_phone_proves_only_a_link_where_numbers_are_verified_and_known(
    form: InvitationForm, verifies: bool, known: bool
):
    proves = phone_may_prove(form, verifies_phones=verifies, phone_known=known)
    assert proves == (form is InvitationForm.LINK and verifies and known)


def test_the_count_of_wrong_codes_forgets_after_a_while_and_the_oldest_chats():
    wrong = WrongCodes()
    chat = Address(1, 1)
    for _ in range(WrongCodes.ALLOWED):
        wrong.check(chat, NOW)
        wrong.count(chat, NOW)
    with pytest.raises(TooManyWrongCodes):
        wrong.check(chat, NOW)
    wrong.check(chat, NOW + WrongCodes.WINDOW)
    for number in range(2, WrongCodes._CHATS + 2):
        wrong.count(Address(1, number), NOW)
    wrong.check(chat, NOW)

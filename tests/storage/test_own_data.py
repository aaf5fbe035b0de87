"""A member's own document leaves nothing undecided: a table that leads to them is in it, or named with its reason."""

from locales import LANGUAGES, speak
from services.own_data import REASONS, SPELT_OUT, WAITING
from storage.own_data import LEFT_OUT, RECORD_LEFT_OUT, SECTIONS, Own
from tests.person_columns import leading_to_a_person, of_a_member

COVERED = {column for section in SECTIONS for column in section.covers} - {"member.id"}


def test_each_column_that_leads_to_a_person_is_in_the_document_or_left_out_with_a_reason():
    undecided = leading_to_a_person() - COVERED - set(LEFT_OUT)
    assert not undecided, "give these a section in storage.own_data, or a reason in LEFT_OUT"


def test_nothing_is_named_that_does_not_exist_or_stands_twice():
    assert COVERED | set(LEFT_OUT) <= leading_to_a_person()
    assert not COVERED & set(LEFT_OUT)


def test_every_section_and_every_reason_is_named_in_plain_words_in_both_languages():
    keys = [f"own_data.section.{name}" for name in (*(section.name for section in SECTIONS), WAITING)]
    keys += [f"own_data.left_out.{reason}" for reason in REASONS]
    for language in LANGUAGES:
        assert [key for key in keys if key not in speak(language)] == []


def test_every_field_is_named_in_plain_words_in_both_languages():
    named = {column.name for section in SECTIONS for column in section.query(Own(1, ())).selected_columns}
    keys = [f"own_data.field.{name}" for name in (named - SPELT_OUT) | {"poll_id", "text"}]
    for language in LANGUAGES:
        assert [key for key in keys if key not in speak(language)] == []


def test_the_record_shows_every_column_of_the_members_row():
    shown = {column.name for column in SECTIONS[0].query(Own(1, ())).selected_columns}
    renamed = {"id": "number", "home_id": "organisation", "phone_sealed": "phone"}
    columns = {renamed.get(name, name) for name in of_a_member() - RECORD_LEFT_OUT}
    assert columns == shown

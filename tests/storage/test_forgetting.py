"""Forgetting leaves no column undecided: a table that leads to a member says what becomes of its rows."""

import ast
from pathlib import Path

from storage.fates import FATES, NOBODY
from tests.person_columns import leading_to_a_person, of_a_member

ROOT = Path(__file__).parents[2]


def test_each_column_that_leads_to_a_person_has_its_fate():
    undecided = leading_to_a_person() - set(FATES)
    assert not undecided, "say in storage.fates.FATES what becomes of these when a member is forgotten"


def test_no_fate_is_kept_for_a_column_that_is_gone():
    assert set(FATES) <= leading_to_a_person()


def test_of_the_members_own_row_only_its_number_and_its_home_stay():
    assert of_a_member() - set(NOBODY) == {"id", "home_id"}


def test_what_the_audit_tells_of_a_person_is_sealed_with_their_own_key():
    """Only then does dropping the key forget it."""
    told = [
        (path.name, call.lineno)
        for path in sorted((ROOT / "services").glob("*.py"))
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and _about_a_member(given := {each.arg: each.value for each in call.keywords})
        if "detail" in given and "person_id" not in given
    ]
    assert told == []


def _about_a_member(given: dict[str | None, ast.expr]) -> bool:
    subject = given.get("subject")
    return "action" in given and isinstance(subject, ast.Constant) and subject.value == "member"

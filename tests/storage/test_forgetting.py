"""Forgetting leaves no column undecided: a table that leads to a member says what becomes of its rows."""

from storage.fates import FATES, NOBODY
from tests.person_columns import leading_to_a_person, of_a_member


def test_each_column_that_leads_to_a_person_has_its_fate():
    undecided = leading_to_a_person() - set(FATES)
    assert not undecided, "say in storage.fates.FATES what becomes of these when a member is forgotten"


def test_no_fate_is_kept_for_a_column_that_is_gone():
    assert set(FATES) <= leading_to_a_person()


def test_of_the_members_own_row_only_its_number_and_its_home_stay():
    assert of_a_member() - set(NOBODY) == {"id", "home_id"}

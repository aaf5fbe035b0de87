"""Putting an audience together by hand."""

import pytest

from domain.audiences import Audience, Scope
from domain.members import Standing
from domain.organisations import Level, Organisation, OrganisationKind, OrganisationStatus, RegionalMode
from domain.picking import Picked, picked


def place(path: str) -> Organisation:
    number = int(path.strip("/").rpartition("/")[2])
    return Organisation(
        number, None, path, "名", "", OrganisationKind.BRANCH, Level.GRASSROOTS, OrganisationStatus.ACTIVE
    )


COUNTY, TOWN, BRANCH, OTHER = place("/1/2/"), place("/1/2/3/"), place("/1/2/3/4/"), place("/1/5/")


def test_a_subtree_takes_in_what_was_chosen_below_it():
    chosen = Picked().add(BRANCH).add(OTHER).add(COUNTY)
    assert {each.organisation_id for each in chosen.inside} == {2, 5}
    assert chosen.add(BRANCH) == chosen
    assert set(chosen.add(COUNTY).inside) == set(chosen.inside)


def test_a_part_is_left_out_and_let_in_again():
    chosen = Picked().add(COUNTY).leave_out(BRANCH).leave_out(TOWN)
    assert [each.organisation_id for each in chosen.outside] == [3]
    assert chosen.leaves_out(TOWN)
    assert not chosen.leaves_out(BRANCH)
    assert chosen.let_in(TOWN).outside == ()
    assert chosen.add(TOWN).outside == ()


def test_dropping_a_place_forgets_what_was_left_out_of_it():
    chosen = Picked().add(COUNTY).add(OTHER).leave_out(TOWN).drop(COUNTY)
    assert [each.organisation_id for each in chosen.inside] == [5]
    assert chosen.outside == ()
    assert chosen.drop(OTHER).audience is None


def test_a_place_is_covered_by_one_above_it_and_not_by_itself():
    chosen = Picked().add(COUNTY)
    assert chosen.has(COUNTY)
    assert not chosen.covers(COUNTY)
    assert chosen.covers(BRANCH)
    assert not chosen.covers(OTHER)


def test_filters_hold_for_every_place_and_survive_the_way_back():
    chosen = Picked().add(COUNTY).add(OTHER).leave_out(TOWN)
    for field, value in (("standing", "full"), ("mode", "park"), ("level", "city"), ("kind", "branch")):
        chosen = chosen.sift(field, value, on=True)
    chosen = chosen.sift("mobile", "yes", on=True).sift("topic", "7", on=True)
    audience = chosen.audience
    assert audience is not None
    assert len(audience.include) == 2
    for scope in audience.include:
        assert scope.standings == (Standing.FULL,)
        assert scope.modes == (RegionalMode.PARK,)
        assert scope.mobile is True
        assert scope.topic_id == 7
    assert audience.exclude == (Scope(3, "/1/2/3/"),)
    assert picked(audience).audience == audience


@pytest.mark.parametrize(
    ("field", "value"), [("standing", "full"), ("mobile", "no"), ("topic", "7"), ("mode", "park")]
)
def test_a_filter_is_taken_back_or_cleared(field: str, value: str):
    plain = Picked().add(COUNTY)
    sifted = plain.sift(field, value, on=True)
    assert sifted != plain
    assert sifted.sift(field, value, on=False) == plain
    assert sifted.clear(field) == plain


@pytest.mark.parametrize(("field", "value"), [("age", "60"), ("mode", "moon"), ("topic", "x")])
def test_a_forged_filter_is_an_error(field: str, value: str):
    with pytest.raises(ValueError):  # noqa: PT011 - enum, int and ours all say it
        Picked().sift(field, value, on=True)


def test_nothing_chosen_is_no_audience():
    assert Picked().audience is None
    assert picked(None) == Picked()
    assert picked(Audience((Scope(2, "/1/2/"),))) == Picked().add(COUNTY)

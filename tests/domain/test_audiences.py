"""Audiences as values: canonical, order-independent, checked."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.audiences import (
    MOST_SCOPES,
    Audience,
    EmptyAudience,
    NobodyLeft,
    Scope,
    TooManyScopes,
    check,
    from_json,
    organisations_in,
)
from domain.members import Member, MemberStatus, Standing
from domain.organisations import Level, Organisation, OrganisationKind, OrganisationStatus, RegionalMode

PATHS = {1: "/1/", 2: "/1/2/", 3: "/1/3/", 4: "/1/2/4/"}


def some(of):
    return st.lists(st.sampled_from([*of]), max_size=7).map(tuple)


scopes = st.builds(
    lambda organisation, **filters: Scope(organisation, PATHS[organisation], **filters),
    st.sampled_from([*PATHS]),
    levels=some(Level),
    kinds=some(OrganisationKind),
    modes=some(RegionalMode),
    standings=some(Standing),
    mobile=st.sampled_from([None, True, False]),
    topic_id=st.sampled_from([None, 1, 2]),
)
lists = st.lists(scopes, max_size=4)


@given(lists, lists, st.randoms())
def test_the_order_of_parts_and_filters_does_not_matter(include, exclude, chance):
    def shuffled(scope: Scope) -> Scope:
        levels = [*scope.levels] * 2
        chance.shuffle(levels)
        return Scope(scope.organisation_id, scope.path, tuple(levels), *_rest(scope))

    def _rest(scope: Scope):
        return scope.kinds, scope.modes, scope.standings, scope.mobile, scope.topic_id

    again = Audience(
        tuple(chance.sample([shuffled(each) for each in include] + include, 2 * len(include))),
        tuple(chance.sample(exclude, len(exclude))),
    )
    first = Audience(tuple(include), tuple(exclude))
    assert again == first
    assert again.canonical_json() == first.canonical_json()
    assert again.digest() == first.digest()


@given(lists, lists)
def test_what_is_written_is_read_back(include, exclude):
    audience = Audience(tuple(include), tuple(exclude))
    text = audience.canonical_json()
    assert from_json(text, PATHS) == audience
    assert set(organisations_in(text)) == {scope.organisation_id for scope in audience.scopes}


def test_the_canonical_text_says_what_is_asked_for_and_no_more():
    audience = Audience((Scope(2, "/1/2/", standings=(Standing.FULL,)),), (Scope(4, "/1/2/4/"),))
    assert json.loads(audience.canonical_json()) == {
        "version": 1,
        "include": [{"organisation": 2, "standings": ["full"]}],
        "exclude": [{"organisation": 4}],
    }


def test_every_level_is_no_filter_but_every_mode_is_one():
    assert Scope(1, "/1/", levels=tuple(Level)) == Scope(1, "/1/")
    assert Scope(1, "/1/", modes=tuple(RegionalMode)) != Scope(1, "/1/")


def test_an_audience_of_another_version_is_not_guessed_at():
    with pytest.raises(ValueError, match="version 2"):
        from_json('{"version": 2, "include": [], "exclude": []}', {})


def test_an_audience_of_nothing_is_refused():
    with pytest.raises(EmptyAudience):
        check(Audience(()))


def test_taking_out_all_that_was_put_in_is_refused():
    with pytest.raises(NobodyLeft):
        check(Audience((Scope(2, "/1/2/"), Scope(4, "/1/2/4/", mobile=True)), (Scope(2, "/1/2/"),)))


def test_taking_out_a_part_is_fine():
    audience = Audience((Scope(2, "/1/2/"),), (Scope(4, "/1/2/4/"), Scope(1, "/1/", mobile=True)))
    assert check(audience) is audience


def test_more_parts_than_one_can_read_are_refused():
    many = tuple(Scope(number, f"/1/{number}/") for number in range(2, MOST_SCOPES + 3))
    with pytest.raises(TooManyScopes) as refused:
        check(Audience(many))
    assert refused.value.fields == {"most": MOST_SCOPES}


def home(path: str, **fields) -> Organisation:
    defaults = {
        "kind": OrganisationKind.BRANCH,
        "level": Level.GRASSROOTS,
        "status": OrganisationStatus.ACTIVE,
    }
    return Organisation(id=4, parent_id=2, path=path, name="", name_en="", **defaults | fields)


def test_who_has_left_is_in_no_audience():
    everyone = Audience((Scope(1, "/1/"),))
    member = Member(id=1, name="", home_id=4, standing=Standing.FULL)
    gone = Member(id=2, name="", home_id=4, standing=Standing.FULL, status=MemberStatus.LEFT)
    assert everyone.matches(member, home("/1/2/4/"))
    assert not everyone.matches(gone, home("/1/2/4/"))


def test_a_neighbour_with_a_longer_number_is_outside_the_subtree():
    audience = Audience((Scope(2, "/1/2/"),))
    member = Member(id=1, name="", home_id=20, standing=Standing.FULL)
    assert not audience.matches(member, home("/1/20/"))

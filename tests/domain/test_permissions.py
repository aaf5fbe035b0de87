"""Permissions against an oracle that knows nothing of paths: it walks parents, one node at a time."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.permissions import RIGHTS, Action, Actor, Grant, Role, may_grant

TODAY = date(2026, 3, 4)
PARENTS = {1: None, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 23: 1, 7: 23}  # 2 and 23 share a prefix on purpose

MATRIX = {
    "secretary": {"send_notice", "see_report", "see_unconfirmed", "invite", "approve_link", "read_member",
                  "handle_suggestions", "keep_service_day", "enter_holidays", "grant_role",
                  "manage_organisation", "approve_sending"},
    "staff_worker": {"send_notice", "see_report", "see_unconfirmed", "invite", "approve_link", "read_member",
                     "handle_suggestions", "keep_service_day"},
    "observer": {"see_report"},
}  # fmt: skip


def ancestors(node):
    while node is not None:
        yield node
        node = PARENTS[node]


def path_of(node):
    return "/" + "".join(f"{step}/" for step in reversed(list(ancestors(node))))


def oracle(grants, action, node, day):
    return any(
        action in MATRIX[role] and where in ancestors(node) and since <= day <= (until or date.max)
        for role, where, since, until in grants
    )


days = st.integers(-2, 2).map(lambda n: TODAY + timedelta(days=n))
facts = st.lists(
    st.tuples(st.sampled_from(sorted(MATRIX)), st.sampled_from(sorted(PARENTS)), days, st.none() | days),
    max_size=4,
)


def actor_with(grants):
    held = tuple(Grant(Role(role), node, path_of(node), since, until) for role, node, since, until in grants)
    return Actor(member_id=1, name="王芳", home_id=6, home_path=path_of(6), grants=held)


@given(facts)
def test_every_role_at_every_node_for_every_action_agrees_with_the_oracle(grants):
    actor = actor_with(grants)
    for node in PARENTS:
        for action in Action:
            assert actor.may(action, path_of(node), TODAY) == oracle(grants, action.value, node, TODAY)


@given(facts, st.sampled_from(sorted(MATRIX)), st.sampled_from(sorted(PARENTS)))
def test_nobody_grants_above_their_node_or_beyond_their_rights(grants, role, node):
    granted = may_grant(actor_with(grants), Role(role), path_of(node), TODAY)
    expected = all(oracle(grants, action, node, TODAY) for action in MATRIX[role] | {"grant_role"})
    assert granted == expected


@given(facts, st.sampled_from(list(Action)))
def test_the_nodes_of_an_action_cover_just_what_is_allowed_and_none_lies_in_another(grants, action):
    nodes = actor_with(grants).nodes(action, TODAY)
    for node in PARENTS:
        covering = [grant for grant in nodes if grant.organisation_id in ancestors(node)]
        assert (len(covering) == 1) == oracle(grants, action.value, node, TODAY)


def test_an_actor_without_grants_may_nothing_anywhere():
    actor = actor_with([])
    assert not any(actor.may_somewhere(action, TODAY) for action in Action)


def test_every_role_has_rights():
    assert set(RIGHTS) == set(Role)

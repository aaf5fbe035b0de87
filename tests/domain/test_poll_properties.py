"""Counting, closing and hiding small groups, against a model that knows every voter by name.

The model shares nothing with `domain.poll_counting`: it moves people up a tree until they are in company,
and an attacker who sees every result of every area takes any of them from any other.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.poll_counting import Count, ballot, gather, ripe, within
from domain.polls import chosen_in, mask_of

OPTIONS = 3
COMPANY = 5
Mask = int


@dataclass(frozen=True)
class Tree:
    """Organisations as parents by number; 0 is the root, and `top` asks."""

    parents: tuple[int, ...]
    top: int

    def path(self, node: int) -> str:
        return f"{self.path(self.parents[node]) if node else '/'}{node + 1}/"

    def children(self, node: int) -> list[int]:
        return [n for n in range(1, len(self.parents)) if self.parents[n] == node]

    def below(self, node: int) -> list[int]:
        """Return a node and all below it."""
        return [node, *(each for child in self.children(node) for each in self.below(child))]


@dataclass(frozen=True)
class Vote:
    """Somebody at home somewhere chooses something."""

    home: int
    mask: Mask


TICK = "tick"
Act = Vote | str


@st.composite
def trees(draw: Any) -> Tree:
    size = draw(st.integers(1, 8))
    parents = (0, *(draw(st.integers(0, number - 1)) for number in range(1, size)))
    return Tree(parents, draw(st.sampled_from([0, 0, 0, draw(st.integers(0, size - 1))])))


@st.composite
def polls(draw: Any) -> tuple[Tree, list[Act]]:
    """Draw a tree and what happens until closing: votes, many from a few places, and the clock's counting."""
    tree = draw(trees())
    homes = st.sampled_from(draw(st.lists(st.integers(0, len(tree.parents) - 1), min_size=1, max_size=5)))
    vote = st.builds(Vote, homes, st.integers(1, 2**OPTIONS - 1))
    return tree, draw(st.lists(st.one_of(vote, vote, vote, st.just(TICK)), max_size=60))


def votes_of(acts: Sequence[Act]) -> list[Vote]:
    return [act for act in acts if isinstance(act, Vote)]


def cells_of(tree: Tree, acts: Sequence[Act]) -> dict[str, Count]:
    """Count as the bridge does: at each tick what is ripe, at closing the rest."""
    waiting: dict[str, list[Mask]] = {}
    cells: dict[str, Count] = {}

    def add(counts: dict[str, Count]) -> None:
        for path, count in counts.items():
            cells[path] = cells[path] + count if path in cells else count

    def loose(paths: Sequence[str]) -> dict[str, Count]:
        counts: dict[str, Count] = {}
        for path in paths:
            for mask in waiting.pop(path):
                one = ballot(mask, OPTIONS)
                counts[path] = counts[path] + one if path in counts else one
        return counts

    for act in acts:
        if isinstance(act, Vote):
            inside = act.home in tree.below(tree.top)
            waiting.setdefault(tree.path(act.home if inside else tree.top), []).append(act.mask)
            continue
        add(loose(ripe({path: len(masks) for path, masks in waiting.items()})))
    add(gather(loose(list(waiting)), tree.path(tree.top)))
    return cells


# the model


def groups_of(tree: Tree, votes: Sequence[Vote]) -> dict[int, list[Mask]]:
    """Let people rise until five or more are together; too few at the top take the smallest group along."""
    groups: dict[int, list[Mask]] = {}

    def rise(node: int) -> list[Mask]:
        here = [vote.mask for vote in votes if vote.home == node]
        if node == tree.top:
            inside = tree.below(tree.top)
            here += [vote.mask for vote in votes if vote.home not in inside]
        together = here + [mask for child in tree.children(node) for mask in rise(child)]
        if len(together) < COMPANY:
            return together
        groups[node] = together
        return []

    left = rise(tree.top)
    if left and groups:
        smallest = min(groups, key=lambda node: (len(groups[node]), tree.path(node)))
        left += groups.pop(smallest)
        groups[tree.top] = groups.get(tree.top, []) + left
    return groups


def tally(masks: Sequence[Mask]) -> Count:
    often = Counter(option for mask in masks for option in range(OPTIONS) if mask & 2**option)
    return Count(len(masks), tuple(often[option] for option in range(OPTIONS)))


def differences(tree: Tree, told: dict[int, Count | None]) -> Iterator[tuple[int, tuple[int, ...], Count]]:
    """Take from each told result those of any areas inside it that lie apart from each other."""
    for whole, total in told.items():
        if total is None:
            continue
        inside = [node for node in tree.below(whole)[1:] if told[node] is not None]
        for size in range(len(inside) + 1):
            for parts in combinations(inside, size):
                if any(b in tree.below(a) for a in parts for b in parts if a != b):
                    continue
                counts = [count for part in parts if (count := told[part]) is not None]
                voted = total.voted - sum(count.voted for count in counts)
                options = [
                    total.options[n] - sum(count.options[n] for count in counts) for n in range(OPTIONS)
                ]
                yield whole, parts, Count(voted, tuple(options))


def nobody_is_lost_or_alone(tree: Tree, acts: Sequence[Act]) -> None:
    votes, cells = votes_of(acts), cells_of(tree, acts)
    everybody = tally([vote.mask for vote in votes])
    summed = Count(
        sum(cell.voted for cell in cells.values()),
        tuple(sum(cell.options[n] for cell in cells.values()) for n in range(OPTIONS)),
    )
    assert summed == (everybody if len(votes) >= COMPANY else tally([]))
    assert all(cell.voted >= COMPANY for cell in cells.values())
    told = {node: within(cells, tree.path(node)) for node in range(len(tree.parents))}
    for _, _, rest in differences(tree, told):
        assert rest.voted == 0 or rest.voted >= COMPANY
        assert all(0 <= chosen <= rest.voted for chosen in rest.options)


def an_area_tells_of_its_own_people_only(tree: Tree, acts: Sequence[Act]) -> None:
    """What is told of an area is true of some of its people, and of nobody else (but who moved out, at the top)."""
    votes, cells = votes_of(acts), cells_of(tree, acts)
    for node in tree.below(tree.top):
        told = within(cells, tree.path(node))
        inside = tree.below(node)
        most = tally([v.mask for v in votes if v.home in inside or node == tree.top])
        if told is not None:
            assert told.voted <= most.voted
            assert all(a <= b for a, b in zip(told.options, most.options, strict=True))


def at_closing_all_is_as_in_the_model(tree: Tree, votes: Sequence[Vote]) -> None:
    expected = {tree.path(node): tally(masks) for node, masks in groups_of(tree, votes).items()}
    assert cells_of(tree, votes) == expected


@given(polls())
@settings(max_examples=40, deadline=None)
def test_nobody_is_lost_and_no_subtraction_leaves_fewer_than_five(drawn):
    nobody_is_lost_or_alone(*drawn)


@given(polls())
@settings(max_examples=40, deadline=None)
def test_an_area_tells_of_its_own_people_only(drawn):
    an_area_tells_of_its_own_people_only(*drawn)


@given(polls())
@settings(max_examples=40, deadline=None)
def test_what_is_counted_at_closing_is_as_in_the_model(drawn):
    at_closing_all_is_as_in_the_model(drawn[0], votes_of(drawn[1]))


@given(polls(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_votes_changes_nothing(drawn, chance):
    tree, acts = drawn
    votes = votes_of(acts)
    mixed = votes[:]
    chance.shuffle(mixed)
    assert cells_of(tree, votes) == cells_of(tree, mixed)


@given(polls())
@settings(max_examples=40, deadline=None)
def test_before_closing_only_groups_are_counted_and_a_group_stays_behind(drawn):
    tree, acts = drawn
    waiting = Counter(tree.path(vote.home) for vote in votes_of(acts))
    areas = ripe(waiting)
    assert len(set(areas)) == len(areas)
    assert all(waiting[area] >= COMPANY for area in areas)
    if areas:
        assert sum(waiting.values()) - sum(waiting[area] for area in areas) >= COMPANY


@given(st.sets(st.integers(0, 9), min_size=1))
@settings(max_examples=40)
def test_a_choice_survives_its_mask(chosen):
    assert chosen_in(mask_of(frozenset(chosen))) == chosen


@pytest.mark.slow
@given(polls())
@settings(max_examples=3000, deadline=None)
def test_many_polls_lose_nobody_and_leave_nobody_alone(drawn):
    nobody_is_lost_or_alone(*drawn)
    an_area_tells_of_its_own_people_only(*drawn)
    at_closing_all_is_as_in_the_model(drawn[0], votes_of(drawn[1]))

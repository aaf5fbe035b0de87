"""How ballots become cells of five or more, and what is told of an area."""

from domain.poll_counting import Count, ballot, gather, nothing, ripe, together, within

CITY, COUNTY, TOWN, OTHER = "/1/", "/1/2/", "/1/2/3/", "/1/4/"


def votes(number: int) -> Count:
    return Count(number, (number, 0))


def test_a_ballot_counts_each_option_it_chose():
    assert ballot(0b101, 3, times=2) == Count(2, (2, 0, 2))
    assert together([ballot(1, 2), ballot(2, 2)], 2) == Count(2, (1, 1))


def test_percent_is_of_the_voters_and_rounds_half_up():
    assert Count(8, (1, 7)).percent(0) == 13
    assert nothing(2).percent(0) == 0


def test_five_in_one_place_stay_there():
    assert gather({TOWN: votes(5), OTHER: votes(6)}, CITY) == {TOWN: votes(5), OTHER: votes(6)}


def test_what_is_too_small_meets_above():
    assert gather({"/1/2/3/": votes(2), "/1/2/5/": votes(3)}, CITY) == {COUNTY: votes(5)}


def test_those_who_are_too_few_at_the_top_take_the_smallest_group_with_them():
    gathered = gather({TOWN: votes(7), OTHER: votes(5), "/1/6/": votes(2)}, CITY)
    assert gathered == {TOWN: votes(7), CITY: votes(7)}


def test_fewer_than_five_in_all_are_not_counted():
    assert gather({TOWN: votes(4)}, CITY) == {}
    assert gather({}, CITY) == {}


def test_who_has_moved_away_is_counted_with_the_rest():
    assert gather({TOWN: votes(4), "/9/8/": votes(3)}, CITY)[CITY] == votes(7)


def test_before_closing_only_full_groups_are_counted_and_five_stay_behind():
    assert ripe({TOWN: 7, OTHER: 4}) == ()
    assert ripe({TOWN: 7, OTHER: 5}) == (TOWN,)
    assert ripe({TOWN: 9, OTHER: 4}) == ()
    assert ripe({}) == ()


def test_an_areas_result_is_the_sum_of_the_cells_inside_it():
    cells = {CITY: votes(6), COUNTY: votes(5), TOWN: votes(8)}
    assert within(cells, CITY) == votes(19)
    assert within(cells, COUNTY) == votes(13)
    assert within(cells, OTHER) is None

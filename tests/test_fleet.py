"""The simulated fleet of docs/scaling.md keeps to what the real one is bound to."""

from dataclasses import replace

import pytest

from benchmarks import scaling
from benchmarks.fleet import IN_HAND, Costs, Line, Plan, Run, Simulation
from domain.pace import group_size

COSTS = Costs(
    reservation=150,
    claim=Line(300, 15),
    record=Line(300, 14),
    counted=100,
    look=500,
    crowd=40,
    tick=20,
    log=Line(2700, 1400),
    worker=Line(300, 200),
    idle=0.01,
)
PLAN = Plan("", cores=2, workers=10, accounts=5, members=50_000, seconds=30)


def held(plan: Plan, costs: Costs = COSTS):
    run = Simulation(plan, costs).simulate()
    return run, [run.sent.get(second, 0) for second in range(5, int(plan.seconds) - 1)]


def test_a_line_goes_through_what_was_measured():
    line = Line.through((3, 392), (100, 2000))
    assert line.of(3) == pytest.approx(392)
    assert line.of(100) == pytest.approx(2000)


@pytest.mark.parametrize("paid", [0, 1])
def test_a_fleet_with_room_holds_its_pace_and_no_second_has_more(paid: int):
    plan = replace(PLAN, paid=paid)
    run, seconds = held(plan)
    assert sum(seconds) / len(seconds) == pytest.approx(plan.allowed, rel=0.01)
    assert max(seconds) <= plan.allowed + sum(group_size(ceiling, 500) for ceiling in plan.ceilings)
    assert run.busy / plan.seconds < plan.cores


def test_a_database_that_is_too_small_makes_it_late_and_uses_all_it_has():
    dear = replace(COSTS, claim=Line(60_000, 0))
    run, seconds = held(replace(PLAN, cores=1), dear)
    assert sum(seconds) / len(seconds) < 0.9 * PLAN.allowed
    assert run.late > run.groups / 2
    assert run.busy / PLAN.seconds > 0.95


def test_a_machine_that_dies_leaves_doubts_and_the_others_go_on():
    run, seconds = held(replace(PLAN, dies_at=10.0))
    assert 0 < run.doubtful <= IN_HAND * PLAN.allowed
    assert sum(seconds[-5:]) / 5 == pytest.approx(PLAN.allowed, rel=0.05)


def test_dearer_steps_make_all_of_it_dearer_but_no_worker():
    plain, dear = (held(PLAN, COSTS.times(factor))[0] for factor in (1, 2))
    assert dear.busy == pytest.approx(2 * plain.busy, rel=0.02)
    assert dear.worked == pytest.approx(plain.worked, rel=0.02)


def test_workers_that_have_nothing_to_send_are_busy_all_the_same():
    idle, more = (held(PLAN, replace(COSTS, idle=cores))[0] for cores in (0.0, 0.1))
    assert more.worked - idle.worked == pytest.approx(0.1 * PLAN.workers * PLAN.seconds)


def test_all_workers_look_after_each_slice():
    assert COSTS.looks(50) == pytest.approx(10 * COSTS.looks(5))


@pytest.mark.slow
def test_every_figure_that_the_page_names_is_reckoned(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scaling, "measured", lambda bench, row, column: 100.0 + column)
    monkeypatch.setattr(scaling, "tables", lambda bench: (("2026-03-04", ()),))
    monkeypatch.setattr(scaling, "live", lambda: 2.0)
    monkeypatch.setattr(scaling, "played", lambda plan: Run(sent={20: 30}, busy=60.0))
    page = scaling.page()
    assert "2.0 times" in page
    assert page.count("|\n") > len(scaling.PLANS)


def test_a_figure_is_read_as_it_stands_on_the_page(monkeypatch: pytest.MonkeyPatch):
    rows = [["with thousands", "1,656"], ["of each of two", "349 us, 336 us"], ["no cell"]]
    monkeypatch.setattr(scaling, "tables", lambda bench: [("2026-03-04", rows)])
    assert scaling.measured("storage_size", "with", 1) == 1656
    assert scaling.measured("held_pace", "of each", 1) == 342.5
    with pytest.raises(scaling.NotMeasured, match="benchmarks held_pace"):
        scaling.measured("held_pace", "no cell", 1)


def test_what_idle_workers_cost_is_the_difference_between_two_and_eight(monkeypatch: pytest.MonkeyPatch):
    cells = {"30/s, 2 workers": 1000.0, "30/s, 8 workers": 4000.0, "CPU of each worker a delivery": 300.0}
    monkeypatch.setattr(scaling, "measured", lambda bench, row, column: cells[row])
    few, many, idle = scaling._workers()
    assert (few, many, idle) == (pytest.approx(0), 300.0, pytest.approx(0.015))


def test_a_figure_that_nobody_measured_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scaling, "tables", lambda bench: ())
    with pytest.raises(scaling.NotMeasured, match="benchmarks memory"):
        scaling.measured("memory", "postgresql", 1)
    with pytest.raises(scaling.NotMeasured, match="fleet_check"):
        scaling.live()


def test_the_page_of_scaling_reckons_with_what_the_page_of_performance_says():
    try:
        inputs = scaling.inputs(scaling._with_workers(scaling.steps()), scaling.Reckoned.of())
    except scaling.NotMeasured as missing:
        pytest.skip(str(missing))
    assert inputs in scaling.PAGE.read_text()

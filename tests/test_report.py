"""What benchmarks tell: a bar that was missed is seen from outside, and the page says which run a figure is of."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import common, report


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(report, "FOLDER", tmp_path)
    monkeypatch.setattr(report, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(report, "_recorded", [])


@pytest.mark.parametrize(("met", "code"), [((True, True), 0), ((True, False), 1), ((False, True), 1)])
def test_a_benchmark_ends_with_1_if_any_of_its_bars_was_missed(met: tuple[bool, ...], code: int):
    async def benchmark() -> None:
        for each in met:
            common.show("Ours", ("", "us"), [("ours", "1")], bar="At most 1", reached="1", met=each)
        common.show("Beside it", ("", "us"), [("theirs", "2")])

    with pytest.raises(SystemExit) as ended:
        common.run(benchmark)
    assert ended.value.code == code


def measure(
    names: Sequence[str], figure: str, at: str = "2026-03-04 10:00 UTC", machine: str = "ours"
) -> str:
    """Let these benchmarks have run, and return the page."""
    for name in names:
        shown = report.Shown(
            f"Table of {name}", ("", "us"), [("ours", figure)], f"Bar of {name}: 1", figure, figure < "5"
        )
        kept = asdict(shown) | {"at": at, "machine": machine}
        path = report._kept(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps([kept]))
    report.write(names)
    return report.PAGE.read_text()


def titles(page: str) -> list[str]:
    return [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]


def test_a_whole_run_says_so():
    page = measure(report.BENCHES, "1")
    assert titles(page) == ["The bars", *map(report._title, report.BENCHES)]
    assert "All of it is one run of `make bench`, 2026-03-04 10:00 UTC to 2026-03-04 10:00 UTC." in page
    assert "Not measured" not in page


def test_on_an_empty_page_one_benchmark_names_all_others_as_not_measured():
    page = measure(["pace"], "1")
    assert titles(page) == ["The bars", *map(report._title, report.BENCHES)]
    others = [name for name in report.BENCHES if name != "pace"]
    assert f"Not measured: {', '.join(f'`{name}`' for name in others)}." in page
    assert page.count("\n**Not measured.**") == len(others)


def test_a_run_of_some_keeps_what_stands_of_the_others_whatever_else_is_recorded(tmp_path: Path):
    whole = measure(report.BENCHES, "1")
    for path in (tmp_path / "results").iterdir():
        path.unlink()
    page = measure(["pace"], "7", "2026-03-05 10:00 UTC", "another")
    assert "It is put together from several runs; the last of them measured `pace`." in page
    assert "Machine: another; ours." in page
    assert report.tables("pace") == [("2026-03-05 10:00 UTC", [["ours", "7"]])]
    assert report.tables("memory") == [("2026-03-04 10:00 UTC", [["ours", "1"]])]
    assert "| [Bar of pace: 1](#pace) | 7 | **no** |" in page
    assert "| [Bar of memory: 1](#memory) | 1 | yes |" in page
    assert page.partition("## Held pace")[2] == whole.partition("## Held pace")[2]


def test_the_page_has_a_section_of_each_benchmark_in_their_order():
    page = (Path(__file__).parent.parent / "docs/performance.md").read_text()
    assert titles(page) == ["The bars", *map(report._title, report.BENCHES)]

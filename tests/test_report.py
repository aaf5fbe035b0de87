"""What benchmarks tell: a bar that was missed is seen from outside."""

from pathlib import Path

import pytest

from benchmarks import common, report


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(report, "FOLDER", tmp_path)
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

"""The process that reads: the same answers as without one, and an end to whatever takes too much."""

import asyncio
import io
import os
import zipfile
from datetime import date
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.refusals import Refusal
from domain.roster import Bad, OrganisationLine, RosterKind
from domain.roster_refusals import NotASheet, ReaderGaveUp
from services import roster_files, roster_reader
from services.roster_reader import ChildReader

DATA = Path(__file__).parent.parent / "data" / "roster"
TODAY = date(2026, 3, 4)
MEMBERS = (DATA / "members.xlsx").read_bytes()
TEXT = "姓名,手机,所在党组织,入党日期\n王芳,13805740001,北大路支部,2001.7.1\n,1,北大路支部,\n"


def told(wanted, data):
    """Ask as the parent does, in this process."""
    return [
        orjson.loads(each)
        for each in roster_reader.answer(orjson.dumps(wanted, option=orjson.OPT_NON_STR_KEYS), data)
    ]


def test_what_is_said_between_processes_reads_as_it_was():
    seen = roster_files.look(TEXT.encode())
    looked, over = told({"do": "look", "sheet": "", "kind": None}, TEXT.encode())
    assert roster_reader.look_of(looked["is"]) == seen
    assert over == {"over": True}
    batch, _ = told(
        {"do": "lines", "look": looked["is"], "plan": seen.plan, "today": "2026-03-04"}, TEXT.encode()
    )
    lines = [roster_reader._line_of(each) for each in batch["is"]]
    assert lines == list(roster_files.lines(TEXT.encode(), seen, seen.plan, TODAY))


def test_organisations_are_said_as_well():
    data = (DATA / "organisations.xlsx").read_bytes()
    (looked, _) = told({"do": "look", "sheet": "", "kind": None}, data)
    seen = roster_reader.look_of(looked["is"])
    (batch, _) = told({"do": "lines", "look": looked["is"], "plan": seen.plan, "today": "2026-03-04"}, data)
    assert all(isinstance(roster_reader._line_of(each), OrganisationLine) for each in batch["is"])


def test_a_refusal_is_said_by_its_name():
    assert told({"do": "look", "sheet": "", "kind": None}, b"%PDF") == [
        {"refusal": "NotASheet", "fields": {}}
    ]


@pytest.mark.slow
async def test_a_child_reads_looks_and_picks():
    reader, data = ChildReader(), (DATA / "members.xlsx").read_bytes()
    seen = await reader.look(data, kind=RosterKind.MEMBERS)
    assert seen == roster_files.look(data)
    found = [line async for batch in reader.lines(data, seen, seen.plan, TODAY) for line in batch]
    assert found == list(roster_files.lines(data, seen, seen.plan, TODAY))
    bad = [line.line for line in found if isinstance(line, Bad)]
    assert await reader.pick(data, seen, bad) == dict(roster_files.pick(data, seen, set(bad)))
    with pytest.raises(NotASheet):
        await reader.look(b"%PDF")


@pytest.mark.slow
async def test_a_child_that_is_left_early_is_gone():
    reader = ChildReader()
    data = ("姓名,支部\n" + "王芳,一\n" * 50_000).encode()
    seen = await reader.look(data)
    async for _ in reader.lines(data, seen, seen.plan, TODAY):
        break
    await asyncio.sleep(0.5)
    me = Path(f"/proc/self/task/{os.getpid()}/children")
    assert not me.exists() or not me.read_text().split()


@pytest.mark.slow
async def test_a_child_that_takes_too_much_is_ended_and_said_so(monkeypatch):
    held = io.BytesIO()
    cells = "".join(f"<si><t>{number:>200}</t></si>" for number in range(20_000))
    with zipfile.ZipFile(io.BytesIO(MEMBERS)) as old, zipfile.ZipFile(held, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"</sst>", cells.encode() + b"</sst>"))
    monkeypatch.setattr(roster_reader, "_COMMAND", ("-c", _SMALL))
    with pytest.raises(ReaderGaveUp):
        await ChildReader().look(held.getvalue())


_SMALL = (
    "from services import roster_reader as r; import openpyxl, resource;"
    "r.MOST_MEMORY = int(open('/proc/self/statm').read().split()[0]) * 4096 + 4_000_000; r.main()"
)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_damage_to_a_workbook_is_read_or_refused(data):
    broken = bytearray(MEMBERS)
    for _ in range(data.draw(st.integers(1, 8))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    read_or_refused(bytes(broken[: data.draw(st.integers(1, len(broken)))]))


@pytest.mark.slow
@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_damage_inside_a_workbook_is_read_or_refused(data):
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(MEMBERS)) as old, zipfile.ZipFile(held, "w") as new:
        names = old.namelist()
        hit = data.draw(st.sampled_from(names))
        for name in names:
            content = bytearray(old.read(name))
            if name == hit:
                at = data.draw(st.integers(0, len(content)))
                content[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
            new.writestr(name, bytes(content))
    read_or_refused(held.getvalue())


@given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(data):
    read_or_refused(data)
    read_or_refused("姓名,手机,支部,入党日期\n".encode() + data)


def read_or_refused(data):
    try:
        seen = roster_files.look(data)
        list(roster_files.lines(data, seen, seen.plan, TODAY))
    except Refusal:
        pass

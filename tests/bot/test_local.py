import asyncio
import contextlib
import stat

import pytest

from bot import local
from domain.refusals import NotFound


async def count(body):
    for number in range(body["to"]):
        yield {"number": number}


async def refuse(body):
    yield {"number": 0}
    raise NotFound


async def fail(body):
    yield {"number": 0}
    raise RuntimeError


COMMANDS = {"count": count, "refuse": refuse, "fail": fail}


@pytest.fixture
async def path(tmp_path):
    async with contextlib.AsyncExitStack() as stack:
        path = local.path_of(tmp_path)
        await local.serve(stack, path, COMMANDS)
        yield path


async def said(path, name, **body):
    return [each async for each in local.ask(path, name, body)]


async def test_a_command_answers_line_by_line(path):
    assert await said(path, "count", to=3) == [{"number": 0}, {"number": 1}, {"number": 2}]


async def test_a_refusal_keeps_its_name(path):
    with pytest.raises(local.CommandRefused) as caught:
        await said(path, "refuse")
    assert caught.value.key == "refusal.not_found"


async def test_what_breaks_is_told_without_its_reason(path):
    with pytest.raises(local.CommandFailed):
        await said(path, "fail")


async def test_an_unknown_command_fails(path):
    with pytest.raises(local.CommandFailed):
        await said(path, "restore")


async def test_only_its_owner_may_open_the_socket(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_second_bridge_leaves_the_socket_to_the_first(path):
    async with contextlib.AsyncExitStack() as stack:
        await local.serve(stack, path, {})
    assert await said(path, "count", to=1) == [{"number": 0}]


async def test_a_socket_left_by_a_crash_is_nobody_and_is_taken_over(tmp_path):
    path = local.path_of(tmp_path)
    path.touch()
    assert not local.answers(path)
    async with contextlib.AsyncExitStack() as stack:
        await local.serve(stack, path, COMMANDS)
        assert local.answers(path)
    assert not path.exists()


def test_a_folder_with_a_long_name_has_its_socket_elsewhere(tmp_path):
    deep = tmp_path / ("x" * 120)
    assert len(str(local.path_of(deep))) < 100
    assert local.path_of(deep) != local.path_of(tmp_path / ("y" * 120))


async def test_the_same_is_said_without_a_socket():
    assert [each async for each in local.here(COMMANDS, "count", {"to": 1})] == [{"number": 0}]
    with pytest.raises(local.CommandRefused):
        [each async for each in local.here(COMMANDS, "refuse", {})]


async def test_a_bridge_that_stops_in_the_middle_is_told_of(tmp_path):
    path = local.path_of(tmp_path)

    async def endless(body):
        while True:
            yield {"number": 0}
            await asyncio.sleep(0.01)

    async with contextlib.AsyncExitStack() as stack:
        await local.serve(stack, path, {"endless": endless})
        answers = local.ask(path, "endless", {})
        await anext(answers)
        stopping = asyncio.create_task(stack.aclose())
        with pytest.raises(local.CommandFailed, match="stopped"):
            [each async for each in answers]
        await stopping

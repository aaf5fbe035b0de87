"""What an operator does to deliveries: list, pause, resume, cancel, retry, resolve; as the local socket knows them."""

from collections.abc import AsyncIterator, Awaitable, Callable

from bot.local import Commands, Said
from domain.clock import Clock
from domain.refusals import NotFound
from services.delivery import Figures, figures_of
from storage import dispatches, outcomes, reopening
from storage.database import Database, Session
from storage.dispatches import Dispatch


def commands_of(database: Database, clock: Clock) -> Commands:
    """Return the commands; a worker finds within seconds what is resumed."""
    control = _Control(database, clock)
    return {
        "deliveries.list": control.list,
        "deliveries.pause": control.pause,
        "deliveries.resume": control.resume,
        "deliveries.cancel": control.cancel,
        "deliveries.retry": control.retry,
        "deliveries.resolve": control.resolve,
    }


class _Control:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def list(self, body: Said) -> AsyncIterator[Said]:
        """Tell each dispatch that runs or is paused, and those that some perhaps received."""
        now = self._clock()
        async with self._database.read() as session:
            found = await dispatches.unfinished(session)
            doubtful = await reopening.all_parked(session, now)
            figures = [(each, await figures_of(session, each.id, now)) for each in found]
        yield {
            "doubtful": [{"id": each.id, "source": each.source, "parked": each.parked} for each in doubtful],
            "dispatches": [_said(what, known) for what, known in figures],
        }

    async def pause(self, body: Said) -> AsyncIterator[Said]:
        """Stop a running dispatch within a second."""
        async with self._database.begin() as session:
            if not await dispatches.pause(session, int(body["id"]), "by_hand"):
                raise NotFound
        yield {"id": body["id"]}

    async def resume(self, body: Said) -> AsyncIterator[Said]:
        """Let a paused dispatch go on."""
        async with self._database.begin() as session:
            if not await dispatches.resume(session, int(body["id"])):
                raise NotFound
        yield {"id": body["id"]}

    async def cancel(self, body: Said) -> AsyncIterator[Said]:
        """End a dispatch: who still waits gets nothing."""
        now = self._clock()
        async with self._database.begin() as session:
            if not await dispatches.cancel(session, int(body["id"]), now):
                raise NotFound
        async with self._database.begin() as session:
            await outcomes.skip_cancelled(session, now)
        yield {"id": body["id"]}

    async def retry(self, body: Said) -> AsyncIterator[Said]:
        """Send again to those for whom it failed without leaving us; a worker finds within seconds who waits."""
        number = int(body["id"])
        yield await self._decided(number, lambda session: reopening.again_failed(session, number))

    async def resolve(self, body: Said) -> AsyncIterator[Said]:
        """Send again to those who perhaps received it, or leave it at that; a worker finds within seconds who waits."""
        number, now = int(body["id"]), self._clock()
        if body["again"]:
            yield await self._decided(number, lambda session: reopening.again_unknown(session, number, None))
        else:
            yield await self._decided(number, lambda session: reopening.leave(session, number, now))

    async def _decided(self, number: int, work: Callable[[Session], Awaitable[int]]) -> Said:
        try:
            async with self._database.begin() as session:
                count = await work(session)
        except reopening.Overtaken:
            raise NotFound from None
        if not count:
            raise NotFound
        return {"id": number, "count": count}


def _said(what: Dispatch, figures: Figures) -> Said:
    finish = figures.expected_finish
    return {
        "id": what.id,
        "source": what.source,
        "state": what.state.value,
        "why": what.pause_reason,
        "failed": figures.failed + figures.unreachable + figures.rejected,
        "rate": figures.per_second,
        "finish": None if finish is None else finish.isoformat(),
        "estimated": figures.estimated,
        **{
            name: getattr(figures, name)
            for name in ("planned", "sent", "unknown", "skipped", "waiting", "held")
        },
    }

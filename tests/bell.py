"""A plan that rings: a process over the database whose handler writes down what it is given."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from domain.organisations import HolidayPolicy
from domain.recurrence import Every, NthWeekday, Rule
from domain.schedules import Due, OccurrenceState
from services.audit import Audit
from services.holidays import Holidays
from services.schedules import Schedules
from storage.database import Database, Session
from storage.sealing import Sealer
from tests.conftest import HandClock
from tests.factories import T, make_topic
from tests.recurrence_world import at

SHANGHAI = "Asia/Shanghai"
DAILY = Rule(Every(1, date(2026, 1, 1)), at(9), SHANGHAI)
FIRST_SATURDAY = Rule(NthWeekday(1, 5), at(9), SHANGHAI, HolidayPolicy.NEXT_FREE_SATURDAY)
DONE, TOO_LATE, FAILED = OccurrenceState.DONE, OccurrenceState.TOO_LATE, OccurrenceState.FAILED


class Bell:
    """A process with its own services over the one database; its handler writes down what it is given."""

    def __init__(self, database: Database, clock: HandClock) -> None:
        self.database = database
        self.clock = clock
        audit = Audit(database=database, clock=clock, sealer=Sealer({"test": bytes(range(32))}, "test"))
        self.holidays = Holidays(database=database, clock=clock, audit=audit)
        self.schedules = Schedules(database=database, clock=clock, holidays=self.holidays)
        self.rung: list[Due] = []
        self.asked: list[Due] = []
        self.broken: set[int] = set()
        self.schedules.handlers["bell"] = self.ring
        self.schedules.asks["bell"] = self.ask

    async def ring(self, session: Session, due: Due) -> None:
        self.rung.append(due)
        await make_topic(session, f"{due.subject_id}:{due.planned}:{len(self.rung)}:{id(self)}")
        if due.subject_id in self.broken:
            raise RuntimeError("broken")

    async def ask(self, session: Session, due: Due) -> None:
        self.asked.append(due)
        if due.subject_id in self.broken:
            raise RuntimeError("broken")

    async def plan(self, rule: Rule = DAILY, subject_id: int = 1, **useful: float) -> int:
        async with self.database.begin() as session:
            return await self.schedules.plan(
                session,
                kind="bell",
                subject_id=subject_id,
                rule=rule,
                useful_for=timedelta(**useful or {"hours": 12}),
            )

    async def written(self) -> list[str]:
        """Return what the handlers' transactions left behind: one line for each occurrence that happened."""
        async with self.database.read() as session:
            found = await session.execute(select(T["topic"].c.code).order_by(T["topic"].c.id))
        return [code.rsplit(":", 2)[0] for code in found.scalars()]

    async def states(self, subject_id: int = 1) -> dict[str, str]:
        found = await self.schedules.history("bell", subject_id, 50)
        return {each.planned.isoformat()[5:]: each.state.value for each in reversed(found)}

    def move(self, month: int, day: int, hour: int = 9, minute: int = 0, year: int = 2026) -> None:
        """Set the clock to a time in Shanghai."""
        self.clock.now = datetime(year, month, day, hour, minute, tzinfo=UTC) - timedelta(hours=8)

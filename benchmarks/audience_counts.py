"""How long it takes to count an audience among 1,000,000 members in 20,000 organisations.

The audience is "subtree, full members, subscribed, minus one child"; the limits are those of the plan.
"""

from datetime import UTC, datetime

from sqlalchemy import select

from benchmarks.common import ENGINES, city, median, run, show
from domain.audiences import Audience, Scope
from domain.members import Standing
from storage import audiences
from storage.database import Database
from storage.tables import metadata

POLICY = 1
LIMITS = {"city": 1.5, "county": 0.4, "township": 0.4, "branch": 0.4}
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
organisation = metadata.tables["organisation"]


async def main() -> None:
    rows, kept = [], True
    for engine in ENGINES:
        async with city(engine) as database:
            for what, limit in LIMITS.items():
                audience = await _audience(database, what)
                members, counting = await _count(database, audience)
                reaching = await _reach(database, audience)
                kept &= counting < limit
                figures = (f"{members:,}", f"{counting:.3f}", f"{limit:.1f}", f"{reaching:.3f}")
                rows.append((f"{engine}, {what}", *figures))
    show(
        "Subtree, full members, subscribed, minus one child",
        ("", "members", "count, s", "limit, s", "reach, s"),
        rows,
        bar="An audience of a city of 1,000,000 is counted within 1.5 s, any other within 0.4 s",
        reached=f"{max(float(row[2]) for row in rows):.2f} s at most",
        met=kept,
    )


async def _audience(database: Database, what: str) -> Audience:
    """Choose the first node of a level in the middle of the tree, and its first child to leave out."""
    level = "grassroots" if what == "branch" else what
    found = select(organisation).where(organisation.c.level == level).order_by(organisation.c.id)
    async with database.read() as session:
        nodes = (await session.execute(found)).all()
        node = nodes[len(nodes) // 2]
        below = select(organisation).where(organisation.c.parent_id == node.id).order_by(organisation.c.id)
        children = (await session.execute(below)).all()
    meant = Scope(node.id, node.path, standings=(Standing.FULL,), topic_id=POLICY)
    left_out = tuple(Scope(child.id, child.path) for child in children[1:2])
    return Audience((meant,), left_out)


async def _count(database: Database, audience: Audience) -> tuple[int, float]:
    async with database.read() as session:
        members = await audiences.count(session, audience)
        return members, await median(lambda: audiences.count(session, audience))


async def _reach(database: Database, audience: Audience) -> float:
    async with database.read() as session:
        return await median(lambda: audiences.groups(session, audience, weekly_cap=3, now=NOW), runs=3)


if __name__ == "__main__":
    run(main)

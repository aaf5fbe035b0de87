"""The time zones that there are: read at most once a minute."""

from services.zones import Zones
from tests.delivery_world import T, settle


async def test_a_new_zone_is_known_within_a_minute(database, clock):
    await settle(database, clock, 1)
    zones = Zones(clock)

    async def read() -> set[str]:
        async with database.read() as session:
            return set(await zones.read(session))

    assert await read() == {"Asia/Shanghai"}
    async with database.begin() as session:
        await session.execute(T["organisation"].update().values(zone="Asia/Urumqi"))
    clock.forward(seconds=59)
    assert await read() == {"Asia/Shanghai"}
    clock.forward(seconds=1)
    assert await read() == {"Asia/Urumqi"}

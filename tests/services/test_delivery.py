"""Delivery from dispatch to outcome, with a fake channel on real databases."""

from tests.delivery_world import FakeChannel, build, run_all, settle, start, states

from domain.delivery import DispatchState


async def test_everybody_with_a_chat_gets_it_once(database, clock):
    members = await settle(database, clock, 30)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    assert sorted(channel.chats) == [1000 + n for n in members]
    figures = await delivery.figures(dispatch)
    assert (figures.state, figures.planned, figures.sent, figures.waiting) == (DispatchState.DONE, 30, 30, 0)
    assert set((await states(database, dispatch)).values()) == {("sent", "")}

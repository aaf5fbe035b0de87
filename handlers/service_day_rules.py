"""What a holiday does to an organisation's service days, and whether it keeps days of its own."""

from aiogram.types import CallbackQuery

from domain.organisations import HolidayPolicy
from domain.permissions import Actor
from handlers.keyboards import Event, Row, button, keyboard, screen, show
from handlers.names import name_of
from handlers.service_day_taps import Keep
from handlers.taps import StaleTap
from locales import Words
from services.toolbox import Toolbox

STEPS = {"rule", "policy", "own", "follow"}
POLICIES = (HolidayPolicy.NEXT_FREE_SATURDAY, HolidayPolicy.KEEP, HolidayPolicy.BY_HAND)


async def on_step(query: CallbackQuery, tap: Keep, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    desk = toolbox.service_days.desk
    if tap.step == "policy":
        if tap.at >= len(POLICIES):
            raise StaleTap
        await desk.set_policy(actor, tap.org, POLICIES[tap.at])
    elif tap.step == "own":
        await desk.keep_own(actor, tap.org)
    elif tap.step == "follow":
        await desk.follow(actor, tap.org)
    await _show(query, toolbox, actor, words, tap.org)


async def _show(event: Event, toolbox: Toolbox, actor: Actor, words: Words, organisation_id: int) -> None:
    desk = await toolbox.service_days.desk.open(actor, organisation_id)
    here, deciding = desk.organisation, desk.deciding
    rows: list[Row] = []
    if desk.decides:
        for number, policy in enumerate(POLICIES):
            mark = "✅" if here.holiday_policy is policy else "⬜"
            label = f"{mark} {words(f'service_days.policy.{policy}')}"
            rows.append([button(label, Keep(step="policy", org=here.id, at=number))])
        said = words("service_days.rule.what")
        if here.parent_id is not None:
            rows.append([button(words("service_days.button.follow"), Keep(step="follow", org=here.id))])
    else:
        rule = words(f"service_days.policy.{deciding.holiday_policy}")
        said = words("service_days.rule.above", organisation=name_of(words, deciding), policy=rule)
        rows.append([button(words("service_days.button.own"), Keep(step="own", org=here.id))])
    text = screen(words("service_days.rule.title", organisation=name_of(words, here)), said)
    await show(event, text, keyboard(words, *rows, back=Keep(step="desk", org=here.id)))

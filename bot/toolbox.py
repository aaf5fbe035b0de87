"""Builds the services of a process, each given what it needs."""

from functools import partial

from bot.accounts import BotAccount, answers
from bot.meters import Meters
from bot.settings import AccountSettings, Settings
from domain.clock import Clock
from domain.rest_days import RestDays
from scheduler.jobs import Engine
from services.alerts import Alerts
from services.approvals import Approvals
from services.audiences import Audiences
from services.audit import Audit
from services.delivery import Delivery, PaceLimits
from services.digests import Digests
from services.dispatch_desk import DispatchDesk
from services.dissolutions import Dissolutions
from services.expiry import Expiry
from services.exports import Exports
from services.forgetting import Forgetting
from services.halts import Halts
from services.holiday_alerts import HolidayAlerts
from services.holidays import Holidays
from services.invitations import Invitations
from services.media import MediaStore
from services.members import Members
from services.notices import Notices
from services.organisations import Organisations
from services.own_data import OwnData
from services.people import People
from services.polls import Polls
from services.repeats import Repeats
from services.rest_days import RestWatch
from services.roster import Roster
from services.roster_reader import ChildReader
from services.schedules import Schedules
from services.service_day_clock import Timing
from services.service_days import ServiceDays
from services.sign_ins import SignIns
from services.suggestions import Suggestions
from services.toolbox import Toolbox
from services.topics import Topics
from services.vacancies import Vacancies
from storage import ledger
from storage.database import Database
from storage.deliveries import Rules


def build_toolbox(
    settings: Settings,
    database: Database,
    clock: Clock,
    *,
    engine: Engine,
    opened: dict[int, BotAccount],
    media: MediaStore,
    meters: Meters,
) -> Toolbox:
    """Build one of each service; the delivery's sources are filled when this returns."""
    sealer = settings.sealer()
    rest = RestDays() if settings.rest_days == "hold" else None
    rules = Rules(quiet=settings.quiet, weekly_cap=settings.weekly_cap, rest=rest)
    delivery = Delivery(
        database=database,
        clock=clock,
        jobs=engine.jobs,
        channels={
            number: meters.metered(account.channel, account.settings.name)
            for number, account in opened.items()
        },
        limits={number: _limits(settings, account.settings) for number, account in opened.items()},
        rules=rules,
        halt_after=settings.halt_after,
    )
    delivery.pipeline.recorder.meter = meters
    audit = Audit(database=database, clock=clock, sealer=sealer)
    audiences = Audiences(database=database, clock=clock, rules=rules)
    alerts = Alerts(clock=clock, delivery=delivery)
    approvals = Approvals(database=database, clock=clock, audit=audit, alerts=alerts)
    holidays = Holidays(database=database, clock=clock, audit=audit)
    schedules = Schedules(database=database, clock=clock, holidays=holidays)
    notices = Notices(
        database=database, clock=clock, audit=audit, audiences=audiences, delivery=delivery, media=media
    )
    polls = Polls(
        database=database,
        clock=clock,
        audit=audit,
        audiences=audiences,
        delivery=delivery,
        media=media,
        sealer=sealer,
    )
    halts = Halts(
        database=database,
        clock=clock,
        audit=audit,
        delivery=delivery,
        probes={number: partial(answers, account) for number, account in opened.items()},
    )
    return Toolbox(
        people=People(database=database),
        members=Members(database=database, clock=clock, audit=audit),
        invitations=Invitations(
            database=database, clock=clock, audit=audit, sealer=sealer, approvals=approvals
        ),
        approvals=approvals,
        expiry=Expiry(database=database, clock=clock, audit=audit, delivery=delivery),
        delivery=delivery,
        exports=Exports(database=database, clock=clock, audit=audit, sealer=sealer),
        own_data=OwnData(database=database, clock=clock, sealer=sealer),
        halts=halts,
        forgetting=Forgetting(
            database=database,
            clock=clock,
            sealer=sealer,
            file=settings.data_dir / ledger.FILE,
            vacancies=Vacancies(database=database, clock=clock, delivery=delivery),
        ),
        audit=audit,
        organisations=Organisations(database=database, clock=clock, audit=audit),
        topics=Topics(database=database, audit=audit),
        holidays=holidays,
        holiday_alerts=HolidayAlerts(database=database, clock=clock, holidays=holidays, delivery=delivery),
        digests=Digests(database=database, clock=clock, audit=audit, delivery=delivery, rules=rules),
        dispatch_desk=DispatchDesk(
            database=database,
            clock=clock,
            audit=audit,
            delivery=delivery,
            notices=notices,
            polls=polls,
            halts=halts,
        ),
        dissolutions=Dissolutions(database=database, clock=clock, audit=audit, delivery=delivery),
        rest_days=RestWatch(holidays=holidays, rest=rest),
        roster=build_roster(settings, database, clock, audit),
        schedules=schedules,
        service_days=ServiceDays(
            database=database,
            clock=clock,
            audit=audit,
            delivery=delivery,
            holidays=holidays,
            timing=Timing(settings.service_day_ask, settings.service_day_leads),
            public_url=settings.bridge_url,
        ),
        sign_ins=SignIns(database=database, clock=clock, audit=audit, public_url=settings.bridge_url),
        audiences=audiences,
        notices=notices,
        repeats=Repeats(
            database=database,
            clock=clock,
            audit=audit,
            audiences=audiences,
            delivery=delivery,
            notices=notices,
            schedules=schedules,
            holidays=holidays,
            rules=rules,
        ),
        suggestions=Suggestions(database=database, clock=clock, audit=audit, delivery=delivery),
        polls=polls,
    )


def _limits(settings: Settings, account: AccountSettings) -> PaceLimits:
    paid = account.paid_ceiling if account.paid_broadcast else None
    return PaceLimits(start=settings.pace_start, ceiling=settings.pace_ceiling, paid=paid)


def build_roster(settings: Settings, database: Database, clock: Clock, audit: Audit) -> Roster:
    """Build what takes rosters in; the command line needs nothing else."""
    return Roster(
        database=database,
        clock=clock,
        audit=audit,
        sealer=settings.sealer(),
        reader=ChildReader(),
        folder=settings.data_dir / "roster",
    )

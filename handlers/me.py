"""My record: what is stored of me, where I belong, and who has looked at it."""

from domain.permissions import Actor
from handlers.keyboards import Event, Go, button, keyboard, screen, show
from handlers.names import account_name, name_of
from handlers.taps import command
from handlers.times import day
from handlers.welcome import members_only
from locales import Words
from services.members import Record
from services.senders import author_of
from services.toolbox import Toolbox


@command("me")
@members_only
async def on_me(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    record = await toolbox.members.own_record(actor)
    text = screen(
        words("me.title"),
        describe(words, record),
        _readings(words, record),
        words("me.correct"),
    )
    rows = [
        [
            button(words("menu.button.org"), Go(to="org")),
            button(words("menu.button.topics"), Go(to="topics")),
        ],
        [button(words("chats.button"), Go(to="chats"))] if len(record.accounts) > 1 else [],
        [button(words("menu.button.privacy"), Go(to="privacy"))],
    ]
    await show(event, text, keyboard(words, *rows))


def describe(words: Words, record: Record) -> str:
    """Write a record line by line, in neutral words."""
    member = record.member
    lines = [
        words("me.name", name=member.name),
        words("me.standing", standing=words(f"me.standing.{member.standing}")),
        words("me.home", chain=" › ".join(name_of(words, one) for one in record.chain)),
    ]
    lines.extend(
        words("me.role", role=words(f"me.role.{role}"), organisation=name_of(words, where))
        for role, where in record.roles
    )
    if record.joined:
        lines.append(words("me.joined", day=day(words, record.joined)))
    if member.mobile:
        lines.append(words("me.mobile"))
    lines.extend(words("me.host", name=name_of(words, one)) for one in record.hosts)
    lines.append(words("me.phone", hint=member.phone_hint) if member.phone_hint else words("me.phone.none"))
    lines.append(
        words(
            "me.accounts",
            names=words("me.comma").join(account_name(words, one) for one in record.accounts)
            or words("me.none"),
        )
    )
    lines.append(words("me.topics", n=record.topics))
    if member.stopped_at:
        lines.append(words("me.stopped", day=day(words, member.stopped_at)))
    return "\n".join(lines)


def _readings(words: Words, record: Record) -> str:
    if not record.readings:
        return words("me.readings.none")
    lines = [
        words("me.reading", day=day(words, reading.at), name=_reader(words, reading.actor_name))
        for reading in record.readings
    ]
    return "\n".join([words("me.readings"), *lines])


def _reader(words: Words, name: str | None) -> str:
    return words("me.reading.operator") if name is None else author_of(words, name)

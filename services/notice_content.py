"""What a notice looks like when it goes out: its text, who sends it, and the buttons of a recipient."""

from dataclasses import replace

from domain.messages import Button, Content
from domain.notices import CONFIRM, WHY, Notice, Sender
from domain.richtext import RichText, join, styled
from locales import LANGUAGES, speak
from services.senders import author_of

NO_NOTICE = 0
"""The number that the buttons of a test carry."""


def footer(sender: Sender, language: str) -> str:
    words = speak(language)
    return words(
        "notices.footer", organisation=sender.organisation(language), author=author_of(words, sender.author)
    )


def footers(sender: Sender) -> list[str]:
    """Return the footer in each language, with the empty line above it: a text has to leave room for the longest."""
    return [f"\n\n{footer(sender, language)}" for language in LANGUAGES]


def render(notice: Notice, language: str) -> Content:
    """Make the message that members get in their language."""
    return _render(notice, _headed(notice, language), notice.id, language)


def render_test(notice: Notice, language: str) -> Content:
    """Make the message that its author gets as a test: marked so, with buttons that only say so."""
    return _render(
        notice, _under("notices.test.mark", _headed(notice, language), language), NO_NOTICE, language
    )


def _headed(notice: Notice, language: str) -> RichText:
    """Return what a notice says; an urgent one says so at its head."""
    return _under("notices.urgent.mark", notice.content, language) if notice.urgent else notice.content


def _under(mark: str, content: RichText, language: str) -> RichText:
    head = styled(speak(language)(mark), "bold")
    return join(head, "\n", content) if content.text else head


def without_buttons(content: Content) -> Content:
    return replace(content, keyboard=())


def _render(notice: Notice, content: RichText, number: int, language: str) -> Content:
    words = speak(language)
    sign = styled(footer(notice.sender, language), "italic")
    whole = join(content, "\n\n", sign) if content.text else sign
    rows = (
        [(Button(words("notices.button.confirm"), f"{CONFIRM}:{number}"),)]
        if notice.needs_confirmation
        else []
    )
    rows.append((Button(words("notices.button.why"), f"{WHY}:{number}"),))
    if notice.media is not None and notice.more:
        return Content(whole.text, whole.entities, keyboard=tuple(rows), album=(notice.media, *notice.more))
    return Content(whole.text, whole.entities, notice.media, tuple(rows))

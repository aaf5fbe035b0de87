"""A roster in words: why a row is bad, and what would be done, or was."""

from domain.roster import Bad, Figures, Reason
from locales import Words


def reason(words: Words, bad: Bad) -> str:
    """Say why a row is bad; of what stood in it, only what names a line or an error is repeated."""
    key = bad.reason.value
    if bad.reason is Reason.CONFLICT and not bad.what:
        key = "conflict_there"
    return words(f"roster.reason.{key}", what=bad.what)


def lines(words: Words, figures: Figures) -> str:
    """Say the figures, a line each; what is nothing is left out, but for what is new."""
    shown = [words("roster.created", n=figures.created)]
    for name in ("changed", "phones", "moved", "kept", "bad", "missing"):
        number = getattr(figures, name)
        if number:
            shown.append(words(f"roster.{name}", n=number))
    return "\n".join(shown)

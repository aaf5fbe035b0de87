"""Rules of suggestions: their limits, when two say the same, and how groups are handled."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache

from rapidfuzz import fuzz

from domain.refusals import Refusal

LONGEST = 500
LONGEST_TAG = 12
LONGEST_ANSWER = 1500
"""Characters, so that each fits on a screen, a button, and into one message."""
MOST_A_DAY = 5
ALIKE = 84.0
"""Of a hundred: from here on two texts say the same."""
CANDIDATES = 20
"""So many texts that share the most with a new one are looked at closely."""

_WORD = re.compile(r"\w+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_POLITE = re.compile(
    "希望|建议|能不能|能否|可不可以|可以|是否|请|多一些|一些|一点|点儿|一下|了|的|在|里|吗|吧|呢|现在|再"
)
_POLITE_ENGLISH = frozenset(
    "please the a an could can would should we you i to in of for some be is it add".split()  # noqa: SIM905
)
_TURNS = frozenset("不没别勿少减晚短慢")
_TURNS_ENGLISH = frozenset({"not", "no", "less", "fewer", "later", "never", "dont", "don", "without"})


class GroupState(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"


class SuggestionTooLong(Refusal):
    """The suggestion is longer than fits."""


class SuggestionSaysNothing(Refusal):
    """A suggestion has words."""


class TooManySuggestions(Refusal):
    """So many suggestions a day are enough."""


class TagTooLong(Refusal):
    """A tag is a word or two."""


class AnswerSaysNothing(Refusal):
    """An answer has words."""


class AnswerTooLong(Refusal):
    """The answer is longer than one message."""


class GroupAnswered(Refusal):
    """The group was answered, and its authors were told."""


class NotInOnePlace(Refusal):
    """Two groups that are merged are addressed to one organisation."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What somebody suggested; without a name it was anonymous."""

    id: int
    text: str
    day: date
    member_id: int | None
    author: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Suggestions that say the same, to one organisation; `title` is the first of them."""

    id: int
    organisation_id: int
    path: str
    organisation: str
    organisation_en: str
    title: str
    tag: str
    state: GroupState
    size: int
    answer: str
    answered_at: datetime | None
    merged: int


def check_text(text: str) -> str:
    """Return a suggestion as it is kept."""
    tidy = unicodedata.normalize("NFC", text).strip()
    if not _WORD.search(tidy):
        raise SuggestionSaysNothing
    if len(tidy) > LONGEST:
        raise SuggestionTooLong(most=LONGEST, over=len(tidy) - LONGEST)
    return tidy


def check_tag(text: str) -> str:
    tag = " ".join(unicodedata.normalize("NFKC", text).split()).lstrip("#")
    if len(tag) > LONGEST_TAG:
        raise TagTooLong(most=LONGEST_TAG)
    return tag


def check_answer(text: str) -> str:
    answer = text.strip()
    if not answer:
        raise AnswerSaysNothing
    if len(answer) > LONGEST_ANSWER:
        raise AnswerTooLong(most=LONGEST_ANSWER, over=len(answer) - LONGEST_ANSWER)
    return answer


@lru_cache(maxsize=20_000)
def gist(text: str) -> tuple[str, ...]:
    """Return the words of a text without courtesy: Chinese ones run together, English ones each for itself."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = (
        _POLITE.sub("", word) if _CHINESE.search(word) else word
        for word in _WORD.findall(folded)
        if word not in _POLITE_ENGLISH
    )
    return tuple(word for word in words if word) or tuple(_WORD.findall(folded))


@lru_cache(maxsize=20_000)
def pieces(text: str) -> tuple[str, ...]:
    """Return what texts are compared by: pairs of neighbouring Chinese characters, and English words."""
    found: list[str] = []
    for word in gist(text):
        if _CHINESE.search(word):
            found.extend([word[at : at + 2] for at in range(len(word) - 1)] or [word])
        else:
            found.append(word)
    return tuple(found)


def likeness(one: str, other: str) -> float:
    """Say how much alike two texts are, of a hundred.

    The mean of two views that know no word order: pairs of characters, and single characters. Either alone
    put pairs together that differ, or kept alike ones apart (tests/domain/test_suggestions.py has them).
    What one affirms and the other denies is not alike, however few characters tell them apart.
    """
    if _turns(one) != _turns(other):
        return 0.0
    by_pairs = fuzz.token_sort_ratio(" ".join(pieces(one)), " ".join(pieces(other)))
    by_characters = fuzz.ratio("".join(sorted("".join(gist(one)))), "".join(sorted("".join(gist(other)))))
    return (by_pairs + by_characters) / 2


class Grouping:
    """Finds the group a text belongs to; texts that share nothing are never compared."""

    def __init__(self, known: Iterable[tuple[int, str]] = ()) -> None:
        self._texts: list[tuple[int, str]] = []
        self._with_piece: dict[str, list[int]] = {}
        for group_id, text in known:
            self.add(group_id, text)

    def add(self, group_id: int, text: str) -> None:
        for piece in set(pieces(text)):
            self._with_piece.setdefault(piece, []).append(len(self._texts))
        self._texts.append((group_id, text))

    def find(self, text: str) -> int | None:
        """Return the group of the text most like this one, if one is alike."""
        shared: dict[int, int] = {}
        for piece in set(pieces(text)):
            for at in self._with_piece.get(piece, ()):
                shared[at] = shared.get(at, 0) + 1
        near = sorted(shared, key=lambda at: (-shared[at], at))[:CANDIDATES]
        best = max(((likeness(text, self._texts[at][1]), -at) for at in near), default=(0.0, 0))
        return self._texts[-best[1]][0] if best[0] >= ALIKE else None


def _turns(text: str) -> frozenset[str]:
    words = gist(text)
    characters = {character for word in words for character in word if character in _TURNS}
    return frozenset(characters | (_TURNS_ENGLISH & set(words)))

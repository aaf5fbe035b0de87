import pytest

from domain.roster import COLUMNS, Bad, Figures, Reason, RosterKind
from locales import LANGUAGES, speak
from services import roster_words


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_column_and_kind_has_words(language):
    words = speak(language)
    said = {reason: roster_words.reason(words, Bad(2, reason, "7")) for reason in Reason}
    assert len(set(said.values())) == len(Reason)
    for kind in RosterKind:
        assert f"roster.kind.{kind.value}" in words
        assert all(f"roster.column.{column.value}" in words for column in COLUMNS[kind])


def test_a_conflict_names_the_other_line_or_what_is_on_record():
    words = speak("en")
    assert "row 7" in roster_words.reason(words, Bad(2, Reason.CONFLICT, "7"))
    assert "already" in roster_words.reason(words, Bad(2, Reason.CONFLICT))


def test_figures_leave_out_what_is_nothing():
    assert roster_words.lines(speak("en"), Figures(created=1, bad=2)) == "New: 1\nBad rows: 2"

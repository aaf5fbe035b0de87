"""Texts with entities: offsets in UTF-16 units, whatever is joined, trimmed or cut."""

from hypothesis import given
from hypothesis import strategies as st

from domain.richtext import STYLES, RichText, join, shorten, styled, tidy, units

TEXTS = st.text(alphabet="ab 中文\n😀🇨🇳é", max_size=30)


@st.composite
def rich_texts(draw: st.DrawFn) -> RichText:
    text = draw(TEXTS)
    marks = []
    for _ in range(draw(st.integers(0, 3)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        offset = units(text[:start])
        length = units(text[start:end])
        marks.append({"type": draw(st.sampled_from(("bold", "italic"))), "offset": offset, "length": length})
    return RichText(text, tuple(marks))


def marked(rich: RichText) -> list[tuple[str, str]]:
    """Return each entity with the text that it marks, as a messenger reads it."""
    encoded = rich.text.encode("utf-16-le")
    return [
        (
            each["type"],
            encoded[each["offset"] * 2 : (each["offset"] + each["length"]) * 2].decode("utf-16-le"),
        )
        for each in rich.entities
    ]


@given(TEXTS)
def test_units_are_what_utf16_has(text: str):
    assert units(text) == len(text.encode("utf-16-le")) // 2


@given(st.lists(st.one_of(rich_texts(), TEXTS), max_size=5))
def test_joining_keeps_what_each_entity_marks(parts: list[RichText | str]):
    joined = join(*parts)
    assert joined.text == "".join(part if isinstance(part, str) else part.text for part in parts)
    expected = [mark for part in parts if isinstance(part, RichText) for mark in marked(part)]
    assert marked(joined) == expected


def styles(rich: RichText) -> set[tuple[str, int]]:
    """Return which UTF-16 unit is marked by what."""
    return {(each["type"], each["offset"] + step) for each in rich.entities for step in range(each["length"])}


@given(rich_texts())
def test_tidying_trims_and_keeps_what_lies_inside(rich: RichText):
    tidied = tidy(rich.text, rich.entities)
    lead = units(rich.text) - units(rich.text.lstrip())
    moved = {(style, at - lead) for style, at in styles(rich)}
    assert tidied.text == rich.text.strip()
    assert styles(tidied) == {(style, at) for style, at in moved if 0 <= at < tidied.units}


@given(
    st.text(max_size=20),
    st.lists(
        st.dictionaries(
            st.sampled_from(["type", "offset", "length", "url", "extra"]),
            st.one_of(st.integers(-50, 50), st.sampled_from(sorted(STYLES)), st.text(max_size=5)),
        ),
        max_size=4,
    ),
)
def test_whatever_a_forged_client_sends_lies_within_the_text_afterwards(text: str, entities: list[dict]):
    tidied = tidy(text, entities)
    for each in tidied.entities:
        assert each["type"] in STYLES
        assert set(each) <= {"type", "offset", "length", "url", "language"}
        assert 0 <= each["offset"] < each["offset"] + each["length"] <= tidied.units


def test_a_link_leads_to_the_web_or_nowhere():
    link = {"type": "text_link", "offset": 0, "length": 2}
    kept = tidy("链接", [{**link, "url": "https://a.example"}, {**link, "url": "javascript:alert(1)"}, link])
    assert [each["url"] for each in kept.entities] == ["https://a.example"]


def test_what_a_server_finds_by_itself_is_not_kept():
    assert tidy("#话题", [{"type": "hashtag", "offset": 0, "length": 3}]).entities == ()


@given(rich_texts(), st.integers(2, 40))
def test_a_cut_text_fits_and_its_entities_end_with_it(rich: RichText, most: int):
    cut = shorten(rich, most)
    assert cut.units <= most
    assert all(each["offset"] + each["length"] <= cut.units for each in cut.entities)
    if rich.units <= most:
        assert cut == rich
    else:
        assert cut.text.endswith("…")
        assert rich.text.startswith(cut.text[:-1])


def test_an_empty_text_has_no_style():
    assert styled("", "bold") == RichText()
    assert styled("😀", "bold").entities == ({"type": "bold", "offset": 0, "length": 2},)

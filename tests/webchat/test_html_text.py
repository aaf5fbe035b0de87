"""Markup to text and entities, as https://core.telegram.org/bots/api#html-style and tdlib's MessageEntity.cpp say."""

import pytest

from webchat.errors import BotApiError
from webchat.html_text import parse


def test_the_four_named_references_and_numbers_are_replaced_and_nothing_else():
    assert parse("&lt;&gt;&amp;&quot; &#23425;&#x6CE2; &nbsp; &copy; AT&T &#xD83D;")[0] == (
        '<>&" 宁波 &nbsp; &copy; AT&T &#xD83D;'
    )


def test_a_block_of_code_knows_its_language():
    text, entities = parse('<pre><code class="language-python">x = 1</code></pre>')
    assert (text, entities) == (
        "x = 1",
        [{"type": "pre", "offset": 0, "length": 5, "language": "python"}],
    )


def test_a_language_outside_a_block_is_left_out():
    assert parse('<code class="language-python">x</code>')[1] == [{"type": "code", "offset": 0, "length": 1}]


def test_a_quote_may_be_folded():
    kinds = [e["type"] for e in parse("<blockquote>a</blockquote><blockquote expandable>b</blockquote>")[1]]
    assert kinds == ["blockquote", "expandable_blockquote"]


def test_a_link_without_address_links_to_what_it_says():
    assert parse("😀<a>https://example.org/</a>")[1] == [
        {"type": "text_link", "offset": 2, "length": 20, "url": "https://example.org/"}
    ]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//example.org", "https://"])
def test_a_link_that_is_no_web_address_is_only_text(address):
    assert parse(f'<a href="{address}">x</a>') == ("x", [])


def test_nested_marks_are_listed_from_the_outside():
    kinds = [(e["type"], e["offset"], e["length"]) for e in parse("<b>一<i>二</i></b>")[1]]
    assert kinds == [("bold", 0, 2), ("italic", 1, 1)]


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("字<x>", 'Unsupported start tag "x" at byte offset 3'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_broken_markup_is_refused_in_tdlibs_words(markup, said):
    with pytest.raises(BotApiError) as refused:
        parse(markup)
    assert refused.value.description == f"Bad Request: can't parse entities: {said}"

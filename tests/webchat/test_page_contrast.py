"""Colours of the page hold the contrast that older eyes need (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re

import pytest

from webchat import page_views

BASE = page_views.assets()["css/base.css"].decode()
TEXT = 4.5
SHAPE = 3.0
PAIRS = [
    ("ink", "ground", TEXT),
    ("ink", "bubble-in", TEXT),
    ("ink", "bubble-out", TEXT),
    ("ink-soft", "ground", TEXT),
    ("ink-soft", "surface", TEXT),
    ("ink-soft", "raised", TEXT),
    ("ink-soft", "accent-wash", TEXT),
    ("bubble-out-soft", "bubble-out", TEXT),
    ("link", "bubble-in", TEXT),
    ("link", "bubble-out", TEXT),
    ("accent", "raised", TEXT),
    ("accent", "accent-wash", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-strong", TEXT),
    ("danger", "surface", TEXT),
    ("danger", "danger-wash", TEXT),
    ("focus", "ground", SHAPE),
    ("focus", "surface", SHAPE),
]


def tokens(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))


LIGHT = tokens(BASE.split("@media (prefers-color-scheme: dark)")[0])
DARK = LIGHT | tokens(BASE.split("@media (prefers-color-scheme: dark)")[1])


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_colours_are_told_apart(scheme: dict[str, str], front: str, back: str, least: float) -> None:
    assert contrast(scheme[front], scheme[back]) >= least

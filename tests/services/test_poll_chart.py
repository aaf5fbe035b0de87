"""The picture of a result: bars as long as their share, with or without a font for Chinese."""

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from domain.poll_counting import Count
from domain.polls import options_of
from services import poll_chart
from tests.domain.test_polls import POLL

POLL_OF_TWO = replace(
    POLL, options=options_of(["七点", "Eight o'clock, or as late as it gets without lunch"])
)
FILL = (0xC8, 0x10, 0x2E)


@pytest.fixture(params=["fonts as they are", "no font with Chinese"])
def fonts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "no font with Chinese":
        monkeypatch.setattr(poll_chart, "FONTS", ())
    poll_chart._chinese.cache_clear()
    poll_chart._font.cache_clear()
    yield
    poll_chart._chinese.cache_clear()
    poll_chart._font.cache_clear()


def bars(count: Count) -> list[int]:
    """Measure the bars of a picture, from top to bottom."""
    picture = Image.open(io.BytesIO(poll_chart.draw(POLL_OF_TWO, count))).convert("RGB")
    found = []
    for number in range(len(POLL_OF_TWO.options)):
        row = poll_chart.LABEL + poll_chart.BAR + poll_chart.GAP
        middle = poll_chart.MARGIN + poll_chart.TITLE + row * number + poll_chart.LABEL + poll_chart.BAR // 2
        found.append(sum(picture.getpixel((x, middle)) == FILL for x in range(picture.width)))
    return found


@pytest.mark.usefixtures("fonts")
def test_a_bar_is_as_long_as_its_share():
    full = poll_chart.WIDTH - 2 * poll_chart.MARGIN
    three, one = bars(Count(4, (3, 1)))
    assert abs(three - full * 3 / 4) <= 1
    assert abs(one - full / 4) <= 1


@pytest.mark.usefixtures("fonts")
def test_an_option_nobody_chose_has_no_bar_and_everybody_fills_it():
    full = poll_chart.WIDTH - 2 * poll_chart.MARGIN
    all_of_it, nothing = bars(Count(7, (7, 0)))
    assert abs(all_of_it - full) <= 1
    assert nothing == 0


@pytest.mark.usefixtures("fonts")
def test_a_picture_is_small_and_large_enough_for_a_phone():
    data = poll_chart.draw(POLL_OF_TWO, Count(7, (5, 2)))
    assert data.startswith(b"\x89PNG")
    assert len(data) < 100_000
    assert Image.open(io.BytesIO(data)).width == 960

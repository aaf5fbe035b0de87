"""Phone numbers: one written form for one number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.phones import hint, normalised


@pytest.mark.parametrize(
    "written",
    [
        "13805740001",
        "138 0574 0001",
        "138-0574-0001",
        "+86 138 0574 0001",
        "8613805740001",
        "008613805740001",
        "(+86)13805740001",
    ],
)
def test_one_number_has_one_form_however_it_is_written(written: str):
    assert normalised(written) == "+8613805740001"
    assert hint(written) == "0001"


def test_a_foreign_number_keeps_its_country():
    assert normalised("+44 20 7946 0958") == "+442079460958"


@given(st.text(max_size=30))
def test_what_was_written_in_the_one_form_stays_as_it_is(written: str):
    once = normalised(written)
    assert normalised(once) == once

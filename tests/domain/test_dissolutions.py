"""Who takes in whom, and what a request has to say."""

import pytest

from domain.dissolutions import (
    LONGEST_NUMBER,
    LONGEST_REASON,
    DissolutionReasonMissing,
    FilingNumberMissing,
    check_number,
    check_reason,
    common_path,
    takes_in,
)
from domain.organisations import Level, Organisation, OrganisationKind, OrganisationStatus


def place(path: str, kind: str = "branch", status: str = "active") -> Organisation:
    ids = [int(each) for each in path.strip("/").split("/")]
    return Organisation(
        id=ids[-1],
        parent_id=ids[-2] if len(ids) > 1 else None,
        path=path,
        name=path,
        name_en="",
        kind=OrganisationKind(kind),
        level=Level.GRASSROOTS,
        status=OrganisationStatus(status),
    )


@pytest.mark.parametrize(
    ("path", "kind", "status", "fits"),
    [
        ("/1/2/4/", "regional", "active", True),  # beside it
        ("/1/2/", "regional", "active", True),  # above it
        ("/1/5/", "regional", "active", True),  # beside one above it
        ("/1/2/3/", "regional", "active", False),  # itself
        ("/1/2/3/7/", "regional", "active", False),  # below it
        ("/1/5/6/", "regional", "active", False),  # far away
        ("/1/2/4/", "branch", "active", False),
        ("/1/2/4/", "regional", "dissolved", False),
    ],
)
def test_a_reservoir_is_regional_and_near(path: str, kind: str, status: str, *, fits: bool):
    assert takes_in(place(path, kind, status), place("/1/2/3/")) is fits


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("/1/2/3/", "/1/2/4/", "/1/2/"),
        ("/1/2/3/", "/1/2/", "/1/2/"),
        ("/1/23/", "/1/2/", "/1/"),
        ("/1/", "/2/", ""),
    ],
)
def test_what_holds_both_is_the_deepest_above_them(one: str, other: str, both: str):
    assert common_path(one, other) == common_path(other, one) == both


def test_a_filing_number_is_one_line_and_never_missing():
    assert check_number(" 甬组〔2026〕\n12号 ") == "甬组〔2026〕 12号"
    for text in ("", " \n", "1" * (LONGEST_NUMBER + 1)):
        with pytest.raises(FilingNumberMissing):
            check_number(text)


def test_a_reason_is_needed():
    assert check_reason(" 企业搬走 ") == "企业搬走"
    for text in ("", "\n", "长" * (LONGEST_REASON + 1)):
        with pytest.raises(DissolutionReasonMissing):
            check_reason(text)

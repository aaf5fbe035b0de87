"""What a message may be made of."""

import pytest

from domain.messages import Button, Content, Media, Original

PICTURES = tuple(Media("photo", f"{n}.png", str(n)) for n in range(11))
BUTTONS = ((Button("收到", data="1"),),)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"album": PICTURES[:1]}, "two to ten"),
        ({"album": PICTURES}, "two to ten"),
        ({"album": PICTURES[:2], "media": PICTURES[3]}, "no other media"),
        ({"album": (PICTURES[0], Media("document", "a.pdf", "a"))}, "do not mix"),
        ({"album": PICTURES[:2], "keyboard": BUTTONS}, "needs a text"),
        ({"media": PICTURES[0], "copy_of": Original(1, 2, 3)}, "only a text"),
    ],
)
def test_what_no_messenger_takes_is_no_content(fields, said):
    with pytest.raises(ValueError, match=said):
        Content("", **fields)


def test_two_to_ten_files_of_one_kind_are_an_album():
    assert len(Content("", album=PICTURES[:10]).album) == 10
    assert Content("请看", album=PICTURES[:2], keyboard=BUTTONS).keyboard == BUTTONS

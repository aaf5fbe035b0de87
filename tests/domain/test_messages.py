"""What a message may be made of."""

import pytest

from domain.messages import MESSAGE, Button, Content, Media, Original

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
        ({"album": (Media(MESSAGE, "", "a"), Media(MESSAGE, "", "b"))}, "nothing is copied into one"),
    ],
)
def test_what_no_messenger_takes_is_no_content(fields, said):
    with pytest.raises(ValueError, match=said):
        Content("", **fields)


def test_two_to_ten_files_of_one_kind_are_an_album():
    assert len(Content("", album=PICTURES[:10]).album) == 10
    assert Content("请看", album=PICTURES[:2], keyboard=BUTTONS).keyboard == BUTTONS


def test_an_original_is_known_by_its_chat_and_number():
    assert Original.of(Original(-100123, 7).known_as) == Original(-100123, 7)


def test_an_album_counts_as_its_files_and_the_words_that_follow():
    assert Content("请看", album=PICTURES[:3], keyboard=BUTTONS).messages == 4
    assert Content("请看", album=PICTURES[:3]).messages == 3
    assert Content("请看", media=PICTURES[0], keyboard=BUTTONS).messages == 1

"""When two suggestions say the same, and what a suggestion, a tag and an answer may be."""

import pytest

from domain.suggestions import (
    ALIKE,
    AnswerSaysNothing,
    AnswerTooLong,
    Grouping,
    SuggestionSaysNothing,
    SuggestionTooLong,
    TagTooLong,
    check_answer,
    check_tag,
    check_text,
    likeness,
)

SAME = [
    ("食堂早餐能不能早一点开门", "早餐食堂能不能早点开门？"),
    ("希望食堂早点开门", "食堂希望早一点开门"),
    ("建议增加停车位", "能不能多加一些停车位"),
    ("停车位太少，建议增加停车位", "建议增加停车位，现在停车位太少了"),
    ("希望多组织志愿服务活动", "建议多组织一些志愿服务活动"),
    ("老年活动室的空调坏了，请修一下", "老年活动室空调坏了"),
    ("请在小区增加健身器材", "小区里请增加一些健身器材"),
    ("希望会议时间短一点", "会议希望时间短一点"),
    ("会议太多", "会议太多了！"),
    ("Please open the canteen earlier", "please open canteen earlier!"),
    ("The canteen should open earlier in the morning", "Could the canteen open earlier in the morning?"),
    ("More parking spaces please", "Please add more parking spaces"),
]
DIFFERENT = [
    ("希望食堂早点开门", "希望食堂晚点关门"),
    ("建议增加停车位", "建议增加健身器材"),
    ("希望多组织志愿服务活动", "希望多组织文体活动"),
    ("请修路灯", "请修电梯"),
    ("会议太多", "会议太长"),
    ("希望党课安排在周末", "希望党课不要安排在周末"),
    ("建议增加周末的志愿服务", "建议减少周末的志愿服务"),
    ("老年活动室的空调坏了，请修一下", "老年活动室的电视坏了，请修一下"),
    ("Please open the canteen earlier", "Please open the library earlier"),
    ("More parking spaces please", "More trees please"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_says_the_same_is_alike_both_ways(one, other):
    assert likeness(one, other) >= ALIKE
    assert likeness(other, one) >= ALIKE


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_differs_in_the_word_that_matters_is_not_alike(one, other):
    assert likeness(one, other) < ALIKE
    assert likeness(other, one) < ALIKE


def test_punctuation_width_and_case_make_no_difference():
    assert likeness("ＷｉＦｉ太慢！！", "wifi太慢") == 100


def test_a_text_of_courtesies_alone_is_compared_as_it_stands():
    assert likeness("请", "请") == 100
    assert likeness("可以", "希望") < ALIKE


def test_a_new_text_joins_the_group_it_is_most_like():
    grouping = Grouping([(1, "建议增加停车位"), (2, "希望食堂早点开门"), (3, "希望食堂早点开门关门")])
    assert grouping.find("食堂希望早一点开门") == 2
    assert grouping.find("能不能多加一些停车位") == 1
    assert grouping.find("请修路灯") is None
    assert Grouping().find("请修路灯") is None


def test_emoji_alone_say_nothing():
    for empty in ("", "  \n ", "👍👍", "。。。"):
        with pytest.raises(SuggestionSaysNothing):
            check_text(empty)
    assert check_text(" 多种树 🌳 ") == "多种树 🌳"


def test_limits_are_told_with_how_much_is_too_much():
    with pytest.raises(SuggestionTooLong) as refused:
        check_text("树" * 503)
    assert refused.value.fields == {"most": 500, "over": 3}
    with pytest.raises(AnswerTooLong):
        check_answer("答" * 1501)
    with pytest.raises(AnswerSaysNothing):
        check_answer(" \n")


def test_a_tag_is_a_short_word_without_its_hash():
    assert check_tag(" #食堂  早餐 ") == "食堂 早餐"
    assert check_tag("") == ""
    with pytest.raises(TagTooLong):
        check_tag("很" * 13)

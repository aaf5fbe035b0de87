"""Steps of a secretary's notices that many tests take."""

from tests.fakes import Chat


async def aimed(chat: Chat, text: str = "请参加学习") -> None:
    """Write a notice for the branch of the north, up to its preview."""
    await chat.say("/notice")
    await chat.say(text)
    for label in ("鼓楼街道 ›", "北大路支部 ›", "＋ 选「北大路支部」全部", "下一步"):
        await chat.press(label)

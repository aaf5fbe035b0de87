"""Several pictures or files sent as one become one notice, and go out as one."""

from aiogram.types import PhotoSize, Video

from domain.notices import CAPTION_LIMIT
from tests.fakes import Chat, World
from tests.notice_world import Bridge


async def album(chat: Chat, world: World, *names: str, caption: str | None = None, group: str = "g1") -> None:
    """Send pictures as one, as a phone does: the caption is the first one's."""
    for place, name in enumerate(names):
        world.session.bodies[name] = name.encode()
        await chat.send_photo(name, None if place else caption, group)


async def preview(chat: Chat) -> None:
    await chat.press("＋ 选「海曙区」全部")
    await chat.press("下一步")


async def test_pictures_sent_as_one_are_one_notice(county: Chat, delivering: Bridge, world: World):
    await county.say("/notice")
    await album(county, world, "a", "b", "c", caption="活动照片")
    assert "发给谁" in county.screen
    await preview(county)
    assert "附有 3 张图片" in county.screen
    await county.press("先试发给我")
    *pictures, test = county.messages[-4:]
    assert [county.file_of(each) for each in pictures] == ["a", "b", "c"]
    assert "只有您能看到" in (test.text or "")
    await county.press("现在发出")
    await delivering.go()
    words = next(one.content for one in delivering.channel.sent if one.content.keyboard)
    sent = next(one.content for one in delivering.channel.sent if one.content.album)
    assert sent.media is words.media is None
    bodies = [await delivering.notices.media.read(media.digest) for media in sent.album]
    assert bodies == [b"a", b"b", b"c"]
    assert words.text.startswith("活动照片\n\n——")


async def test_an_album_that_comes_again_changes_nothing(county: Chat, delivering: Bridge, world: World):
    await county.say("/notice")
    for _ in range(2):
        await album(county, world, "a", "b", caption="活动照片")
    await county.say("/notice")
    assert len([label for label in county.buttons if "活动照片" in label]) == 1
    await county.press("活动照片")
    assert "附有 2 张图片" in county.screen


async def test_files_sent_as_one_are_named_by_the_first(county: Chat, delivering: Bridge, world: World):
    await county.say("/notice")
    for name in ("一.pdf", "二.pdf"):
        world.session.bodies[name] = name.encode()
        await county.send_document(name, name, "请看" if name == "二.pdf" else None, "g1")
    await preview(county)
    assert "2 个附件，第一个是：一.pdf" in county.screen
    assert "请看" in county.screen  # the words stood under the second


async def test_an_album_takes_the_place_of_a_picture_and_a_text_leaves_it(
    county: Chat, delivering: Bridge, world: World
):
    await county.say("/notice")
    await county.send_photo("old", "旧的")
    await preview(county)
    await county.press("改内容")
    before = len(county.messages)
    await album(county, world, "a", "b", caption="新的")
    assert len(county.messages) == before + 1  # one preview, of both
    assert "附有 2 张图片" in county.screen
    await county.press("改内容")
    await county.say("只改文字")
    assert "附有 2 张图片" in county.screen
    assert "只改文字" in county.screen
    await county.press("改内容")
    await county.press("去掉")
    assert "图片" not in county.screen


async def test_what_does_not_belong_to_an_album_of_ours_goes_its_own_way(
    county: Chat, delivering: Bridge, world: World
):
    await county.send_photo("a", None, "nobody's")
    assert "附有" not in county.screen
    await county.say("/notice")
    await album(county, world, "b", caption="字")
    video = Video(file_id="v", file_unique_id="v", width=1, height=1, duration=1)
    await county._message(video=video, media_group_id="g1")
    assert "相册里只能有图片或文件" in county.screen
    thumb = [PhotoSize(file_id="c", file_unique_id="c", width=1, height=1)]
    world.session.bodies["c"] = b"c"
    await county._message(photo=thumb, caption="太长" * CAPTION_LIMIT, media_group_id="g1")
    await county.say("/notice")
    await county.press("字")
    assert "附有 2 张图片" in county.screen


async def test_an_album_holds_ten_files(county: Chat, delivering: Bridge, world: World):
    await county.say("/notice")
    await album(county, world, *(f"p{n}" for n in range(12)), caption="很多")
    await preview(county)
    assert "附有 10 张图片" in county.screen

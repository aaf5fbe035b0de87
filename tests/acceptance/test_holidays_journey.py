"""A city secretary enters next year's holidays in the chat: pasted as announced, corrected, and as a file."""

from datetime import UTC, datetime

import pytest

from tests.acceptance.conftest import CITY_SECRETARY, MEMBER, moved_city
from tests.acceptance.test_journeys import has

pytestmark = pytest.mark.slow

ANNOUNCEMENT = """国务院办公厅关于2027年部分节假日安排的通知
经国务院批准，现将2027年元旦、春节等放假调休日期的具体安排通知如下。
一、元旦：1月1日（周五）至3日（周日）放假，共3天。
二、春节：2月5日（周五）至11日（周四）放假调休，共7天。2月14日（周日）上班。
三、清明节：4月3日（周六）至5日（周一）放假，共3天。
四、劳动节：5月1日（周六）至5日（周三）放假调休，共5天。5月8日（周六）上班。
五、端午节：6月9日（周三）放假1天。
六、中秋节：9月15日（周三）放假1天。
七、国庆节：10月1日（周五）至7日（周四）放假调休，共7天。10月9日（周六）上班。
"""


async def test_next_year_is_pasted_corrected_and_entered(tmp_path):
    async with moved_city(tmp_path, datetime(2026, 11, 9, 2, tzinfo=UTC)) as city:
        secretary, member = await city.person(CITY_SECRETARY), await city.person(MEMBER)
        await secretary.say("/holidays")
        await secretary.wait(has("2027年的安排还没有录入", "录入2027年安排"))
        await secretary.press("录入2027年安排")
        await secretary.wait("整段粘贴")
        await secretary.say(ANNOUNCEMENT.replace("10月9日（周六）", "10月9日（周日）"))
        await secretary.wait("第9行：日期和旁边写的星期几对不上")
        await secretary.say(ANNOUNCEMENT)
        await secretary.wait(has("请核对2027年的安排", "确认录入"))
        await secretary.press("确认录入")
        await secretary.wait("已录入2027年的安排")
        await secretary.press("重新录入2027年安排")
        await secretary.wait("会代替它")
        lines = "date,kind,name\n2027-10-01~2027-10-07,holiday,国庆节\n2027-10-10,workday,国庆节\n"
        await secretary.upload("document", "2027.csv", lines.encode("gb18030"))
        await secretary.wait(has("没有提到：元旦、春节", "重新发送"))
        await secretary.press("首页")
        await member.say("/holidays")
        await member.wait("您的职务不包含这项操作")

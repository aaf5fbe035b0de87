"""A draft, as a rule sees it."""

from datetime import UTC, datetime

from domain.messages import Media
from domain.notices import Notice, NoticeState, Sender
from domain.richtext import RichText

PICTURE = Media("photo", "一.png", "a")
NOTICE = Notice(
    id=1,
    sender=Sender(1, "/1/", "市委", "City", "Asia/Shanghai", 1, "李书记"),
    state=NoticeState.DRAFT,
    content=RichText("请参加学习"),
    media=None,
    audience_id=1,
    topic_id=None,
    needs_confirmation=False,
    created_at=datetime(2026, 3, 4, tzinfo=UTC),
)

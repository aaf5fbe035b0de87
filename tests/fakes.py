"""A chat without a network: a recording Bot API session, and people who say and press things in front of it.

    chat = world.chat(chat_id=7)
    await chat.say("/me")
    await chat.press("返回")
    assert "王芳" in chat.screen

What the bot shows is kept as the messenger would keep it: edits replace, deletions remove, an edit that
changes nothing is refused, so a test asserts what a person sees.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.client.session.base import BaseSession
from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import (
    AnswerCallbackQuery,
    CopyMessage,
    DeleteMessage,
    EditMessageReplyMarkup,
    EditMessageText,
    GetFile,
    GetMe,
    SendDocument,
    SendMediaGroup,
    SendMessage,
    SendPhoto,
    TelegramMethod,
)
from aiogram.types import (
    CallbackQuery,
    ChatMemberBanned,
    ChatMemberMember,
    ChatMemberUpdated,
    Contact,
    Document,
    File,
    InlineKeyboardMarkup,
    InputFile,
    Message,
    MessageEntity,
    MessageId,
    PhotoSize,
    Update,
    User,
)
from aiogram.types import (
    Chat as TelegramChat,
)

from domain.accounts import Address

WHEN = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
BOT = User(id=99, is_bot=True, first_name="通道", username="tongdao_bot")


class RecordingSession(BaseSession):
    """Answers the Bot API from memory; `calls` holds every method in order, `shown` what each chat shows."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[TelegramMethod[Any]] = []
        self.shown: dict[int, dict[int, Message]] = {}
        self.files: dict[int, InputFile | str] = {}
        self.bodies: dict[str, bytes] = {}
        """What a download of a file gives, by its id; ``file`` where nothing else is said."""
        self.gone: set[int] = set()
        """Messages that their authors have deleted."""
        self.reply_keyboards: dict[int, Any] = {}
        self.alerts: list[str] = []
        self._ids = count(1)

    def new_id(self) -> int:
        return next(self._ids)

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:
        self.calls.append(method)
        match method:
            case GetMe():
                return BOT
            case GetFile():
                return File(file_id=method.file_id, file_unique_id=method.file_id, file_path=method.file_id)
            case SendMediaGroup():
                return self._send_album(bot, method)
            case SendMessage() | SendPhoto() | SendDocument() | CopyMessage():
                return (
                    self._send(bot, method)
                    if not isinstance(method, CopyMessage)
                    else self._copy(bot, method)
                )
            case EditMessageText() | EditMessageReplyMarkup():
                return self._edit(bot, method)
            case DeleteMessage():
                self.shown.get(int(method.chat_id), {}).pop(method.message_id, None)
            case AnswerCallbackQuery() if method.text:
                self.alerts.append(method.text)
        return True

    async def close(self) -> None:
        self.calls.clear()

    async def stream_content(self, *args: Any, **kwargs: Any) -> AsyncGenerator[bytes, None]:
        url = str(kwargs.get("url") or args[0])
        yield self.bodies.get(url.rpartition("/")[2], b"file")

    def _send(self, bot: Bot, method: SendMessage | SendPhoto | SendDocument) -> Message:
        markup = method.reply_markup
        chat_id, message_id = int(method.chat_id), self.new_id()
        if markup is not None and not isinstance(markup, InlineKeyboardMarkup):
            self.reply_keyboards[chat_id] = markup
            markup = None
        values: dict[str, Any] = {}
        if isinstance(method, SendMessage):
            values = {"text": method.text, "entities": method.entities}
        else:
            values = {"caption": method.caption, "caption_entities": method.caption_entities}
            name = f"file-{message_id}"
            file = method.photo if isinstance(method, SendPhoto) else method.document
            self.files[message_id] = file
            if isinstance(method, SendPhoto):
                values["photo"] = [PhotoSize(file_id=name, file_unique_id=name, width=1, height=1)]
            else:
                values["document"] = Document(file_id=name, file_unique_id=name)
        message = Message(
            message_id=message_id,
            date=WHEN,
            chat=TelegramChat(id=chat_id, type="private"),
            from_user=BOT,
            reply_markup=markup,
            **values,
        ).as_(bot)
        self.shown.setdefault(chat_id, {})[message_id] = message
        return message

    def _copy(self, bot: Bot, method: CopyMessage) -> MessageId:
        if method.message_id in self.gone:
            raise TelegramBadRequest(method, "Bad Request: message to copy not found")
        own = {"caption": method.caption, "caption_entities": method.caption_entities}
        source = f"copy of {method.from_chat_id}/{method.message_id}"
        one = SendDocument(chat_id=method.chat_id, document=source, reply_markup=method.reply_markup, **own)
        return MessageId(message_id=self._send(bot, one).message_id)

    def _send_album(self, bot: Bot, method: SendMediaGroup) -> list[Message]:
        sent = []
        for item in method.media:
            own = {"chat_id": method.chat_id, "caption": item.caption}
            one = SendPhoto(photo=item.media, **own)
            sent.append(
                self._send(bot, one if item.type == "photo" else SendDocument(document=item.media, **own))
            )
        return sent

    def _edit(self, bot: Bot, method: EditMessageText | EditMessageReplyMarkup) -> Message:
        chat = self.shown.get(int(method.chat_id or 0), {})
        before = chat.get(method.message_id or 0)
        if before is None:
            raise TelegramBadRequest(method, "Bad Request: message to edit not found")
        changes: dict[str, Any] = {"reply_markup": method.reply_markup}
        if isinstance(method, EditMessageText):
            if before.text is None:
                raise TelegramBadRequest(method, "Bad Request: there is no text in the message to edit")
            changes |= {"text": method.text, "entities": method.entities}
        if all(getattr(before, name) == value for name, value in changes.items()):
            raise TelegramBadRequest(
                method,
                "Bad Request: message is not modified: specified new message content and reply markup are"
                " exactly the same as a current content and reply markup of the message",
            )
        after = before.model_copy(update=changes).as_(bot)
        chat[before.message_id] = after
        return after


class RecordingDelivery:
    """Holds what would go out besides direct answers, by source and recipients."""

    def __init__(self) -> None:
        self.sources: dict[str, Any] = {}
        self.told: list[tuple[str, list[int]]] = []

    async def dispatch(
        self, session: Any, *, source: str, member_ids: Sequence[int] = (), members: Any = None, **more: Any
    ) -> int:
        found = member_ids if members is None else (await session.execute(members)).scalars()
        self.told.append((source, list(found)))
        return len(self.told)


@dataclass
class World:
    """One bot account, one dispatcher, one toolbox; `chat` gives the people in front of it."""

    bot: Bot
    session: RecordingSession
    dispatcher: Dispatcher
    account_id: int
    _updates: Any = field(default_factory=lambda: count(1))

    def chat(self, chat_id: int, name: str = "somebody") -> "Chat":
        return Chat(self, chat_id, name)

    async def feed(self, **event: Any) -> None:
        update = Update(update_id=next(self._updates), **event)
        await self.dispatcher.feed_update(self.bot, update, account_id=self.account_id)


class Chat:
    """A person in front of the bot."""

    def __init__(self, world: World, chat_id: int, name: str) -> None:
        self.world = world
        self.user = User(id=chat_id, is_bot=False, first_name=name)
        self.chat = TelegramChat(id=chat_id, type="private")
        self.address = Address(world.account_id, chat_id)

    @property
    def messages(self) -> list[Message]:
        """What the bot has said here, as it looks now, the oldest first."""
        return list(self.world.session.shown.get(self.chat.id, {}).values())

    @property
    def screen(self) -> str:
        """The text of the bot's latest message."""
        last = self.messages[-1]
        return last.text or last.caption or ""

    @property
    def buttons(self) -> list[str]:
        """The labels below the bot's latest message."""
        return [button.text for button in _buttons(self.messages[-1])]

    @property
    def data(self) -> list[str]:
        """The callback data below the bot's latest message."""
        return [button.callback_data or "" for button in _buttons(self.messages[-1])]

    @property
    def alerts(self) -> list[str]:
        """Texts of answers to taps."""
        return self.world.session.alerts

    @property
    def reply_keyboard(self) -> Any:
        return self.world.session.reply_keyboards.get(self.chat.id)

    def file_of(self, message: Message) -> Any:
        """The file sent with a message."""
        return self.world.session.files[message.message_id]

    async def say(self, text: str, entities: list[MessageEntity] | None = None) -> None:
        await self._message(text=text, entities=entities)

    async def send_photo(self, file_id: str, caption: str | None = None, group: str | None = None) -> None:
        photo = PhotoSize(file_id=file_id, file_unique_id=file_id, width=1, height=1)
        await self._message(photo=[photo], caption=caption, media_group_id=group)

    async def send_document(
        self, file_id: str, name: str, caption: str | None = None, group: str | None = None
    ) -> None:
        document = Document(file_id=file_id, file_unique_id=file_id, file_name=name)
        await self._message(document=document, caption=caption, media_group_id=group)

    async def share_contact(self, phone: str, owner: int | None = None) -> None:
        """Share a contact: one's own, or that of `owner`."""
        contact = Contact(phone_number=phone, first_name="x", user_id=owner or self.user.id)
        await self._message(contact=contact)

    async def press(self, label: str) -> None:
        """Press the newest button whose label contains `label`."""
        for message in reversed(self.messages):
            for button in _buttons(message):
                if label in button.text:
                    await self.tap(button.callback_data or "", message)
                    return
        msg = f"no button {label!r}; the last screen has {self.buttons}"
        raise AssertionError(msg)

    async def tap(self, data: str, message: Message | None = None) -> None:
        """Send callback data, as a forging client can: whatever it is, below whatever message."""
        below = message or (self.messages[-1] if self.messages else None)
        query = CallbackQuery(
            id=str(self.world.session.new_id()),
            from_user=self.user,
            chat_instance="1",
            message=below,
            data=data,
        )
        await self.world.feed(callback_query=query)

    async def block(self) -> None:
        banned = ChatMemberBanned(user=BOT, until_date=WHEN)
        await self._presence(ChatMemberMember(user=BOT), banned)

    async def unblock(self) -> None:
        banned = ChatMemberBanned(user=BOT, until_date=WHEN)
        await self._presence(banned, ChatMemberMember(user=BOT))

    async def _presence(self, before: Any, after: Any) -> None:
        update = ChatMemberUpdated(
            chat=self.chat, from_user=self.user, date=WHEN, old_chat_member=before, new_chat_member=after
        )
        await self.world.feed(my_chat_member=update)

    async def _message(self, **content: Any) -> None:
        message = Message(
            message_id=self.world.session.new_id(),
            date=WHEN,
            chat=self.chat,
            from_user=self.user,
            **content,
        )
        await self.world.feed(message=message)


def _buttons(message: Message) -> list[Any]:
    markup = message.reply_markup
    return [button for row in markup.inline_keyboard for button in row] if markup else []

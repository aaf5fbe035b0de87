"""Answers of the bot through a server that fails: each failure is one of aiogram's family, and none tells a secret."""

import traceback

import pytest
from aiogram.exceptions import TelegramAPIError
from aiogram.types import BufferedInputFile, Message
from pydantic import SecretStr

from bot import accounts
from bot.settings import AccountSettings
from tests.webchat_server import running_webchat

FAULTS = [
    {"fault": "page"},
    {"fault": "page", "status": 503, "acted": True},
    {"fault": "error"},
    {"fault": "reset"},
    {"fault": "reset", "gently": True, "acted": True},
    {"fault": "half"},
    {"fault": "flood", "retry_after": 3},
    {"fault": "unauthorized"},
    {"fault": "blocked"},
]


@pytest.mark.slow_on_postgresql
async def test_whatever_the_server_does_is_told_as_a_telegram_error(database, clock, tmp_path):
    async with running_webchat(tmp_path / "webchat", faults=True) as town:
        token = await town.new_bot()
        settings = AccountSettings(name="city", base_url=town.origin, token=SecretStr(token))
        opened = await accounts.open_all(
            [settings], database=database, clock=clock, media_path=tmp_path.joinpath
        )
        (account,) = opened.values()
        for rule in FAULTS:
            await town.operator.fault(**rule, times=2)
            with pytest.raises(TelegramAPIError) as caught:
                await account.bot.send_message(5, "秘密")
            told = "".join(traceback.format_exception(caught.value))
            assert token not in told
            assert "<html>" not in told
            assert not await accounts.answers(account), rule
            assert await accounts.answers(account)
        await account.close()


@pytest.mark.slow_on_postgresql
async def test_an_answer_is_a_message_of_aiograms_and_an_edit_says_that_it_is_done(database, clock, tmp_path):
    async with running_webchat(tmp_path / "webchat") as town:
        token = await town.new_bot()
        wang = await town.new_person("王芳")
        await wang.start()
        chat = wang.id
        settings = AccountSettings(name="city", base_url=town.origin, token=SecretStr(token))
        opened = await accounts.open_all(
            [settings], database=database, clock=clock, media_path=tmp_path.joinpath
        )
        (account,) = opened.values()
        sent = await account.bot.send_message(chat, "你好", disable_notification=False)
        assert (type(sent), sent.text, sent.bot) == (Message, "你好", account.bot)
        assert await account.bot.edit_message_text("您好", chat_id=chat, message_id=sent.message_id) is True
        picture = BufferedInputFile(b"\x89PNG" + bytes(40), "a.png")
        shown = await account.bot.send_document(chat, picture, caption="看")
        assert shown.document is not None
        assert (await account.bot.get_me()).is_bot
        assert await account.bot.get_webhook_info(request_timeout=3)
        await account.close()

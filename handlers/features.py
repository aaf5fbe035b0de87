"""All features of the chat: importing this registers their commands and taps and gives their routers."""

from aiogram import Router

from handlers import (
    approvals,
    cancel,
    help,  # noqa: A004 - named as the command
    invite,
    language,
    me,
    menu,
    org,
    privacy,
    start,
    stop,
    topics,
)

FEATURES = (approvals, cancel, help, invite, language, me, menu, org, privacy, start, stop, topics)
ROUTERS: tuple[Router, ...] = (start.router, invite.router)

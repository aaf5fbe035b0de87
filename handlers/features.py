"""All features of the chat: importing this registers their commands and taps and gives their routers."""

from aiogram import Router

from handlers import approvals, cancel, help, invite, language, me, menu, privacy, start, stop  # noqa: A004 - named as the command

FEATURES = (approvals, cancel, help, invite, language, me, menu, privacy, start, stop)
ROUTERS: tuple[Router, ...] = (start.router, invite.router)

"""All features of the chat: importing this registers their commands and taps and gives their routers."""

from aiogram import Router

from handlers import (
    aim_filters,
    aim_places,
    approvals,
    cancel,
    fallback,
    help,  # noqa: A004 - named as the command
    invite,
    language,
    me,
    menu,
    notice_compose,
    notice_preview,
    notice_progress,
    notice_report,
    notices,
    nudge,
    org,
    privacy,
    start,
    stop,
    topics,
)

FEATURES = (
    aim_filters,
    aim_places,
    approvals,
    cancel,
    fallback,
    help,
    invite,
    language,
    me,
    menu,
    notice_compose,
    notice_preview,
    notice_progress,
    notice_report,
    notices,
    nudge,
    org,
    privacy,
    start,
    stop,
    topics,
)
ROUTERS: tuple[Router, ...] = (
    start.router,
    invite.router,
    notice_compose.router,
    aim_places.router,
    notice_preview.router,
    notices.router,
    fallback.router,
)
"""Dialogue steps, tried in this order; the fallback takes what is left."""

"""The web calendar over HTTP: `GET /calendar/<token>.ics`, for calendar programs, which ask again and again."""

from datetime import UTC, datetime

from aiohttp import web
from aiohttp.typedefs import Handler

from services.calendar_addresses import PATH, CalendarAddresses, Feed
from services.service_day_ics import FILE_NAME

MAX_AGE = 900
"""Seconds for which a calendar program need not ask again."""


def routes(addresses: CalendarAddresses) -> list[web.RouteDef]:
    """Return the one route; an address that leads nowhere looks like any other page that is not there."""
    return [web.get(PATH, _handler(addresses))]


def _handler(addresses: CalendarAddresses) -> Handler:
    async def calendar(request: web.Request) -> web.StreamResponse:
        feed = await addresses.feed(request.match_info["token"])
        if feed is None:
            raise web.HTTPNotFound
        response = web.Response(status=304) if _unchanged(request, feed) else _whole(feed)
        response.etag = feed.etag
        response.last_modified = _seconds(feed.modified)
        response.headers["Cache-Control"] = f"private, max-age={MAX_AGE}"
        response.headers["X-Robots-Tag"] = "noindex"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return calendar


def _whole(feed: Feed) -> web.Response:
    response = web.Response(body=feed.body, content_type="text/calendar", charset="utf-8")
    response.headers["Content-Disposition"] = f'inline; filename="{FILE_NAME}"'
    return response


def _unchanged(request: web.Request, feed: Feed) -> bool:
    """Say whether the program has it already: by its tag, and by its date only where it knows no tag."""
    tags = request.if_none_match
    if tags is not None:
        return any(tag.value in {feed.etag, "*"} for tag in tags)
    since = request.if_modified_since
    return since is not None and _seconds(feed.modified) <= _seconds(since)


def _seconds(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)

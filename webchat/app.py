"""The chat server as an aiohttp application: all sides, one store."""

from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from webchat import bot_albums, bot_api, faults_api, operator_api, page_views, people_api
from webchat.bot_methods import BotMethods
from webchat.config import WebchatConfig
from webchat.errors import PeopleError
from webchat.faults import Faults
from webchat.guests import Guests
from webchat.town import Town

log = structlog.get_logger(__name__)

METHODS = (bot_albums,)  # it registers its methods by being there

TOWN = web.AppKey("town", Town)
WORDED = ("/api/", "/operator/")  # where every refusal has a code
MULTIPART_OVERHEAD = 64 * 1024  # bytes a form may add to the file it carries


def create(config: WebchatConfig) -> web.Application:
    """Build the server; it opens its store when it is created and closes it on cleanup."""
    town = Town(config)
    methods = BotMethods(town)
    guests = Guests(town)
    app = web.Application(middlewares=[_worded], client_max_size=config.max_upload_bytes + MULTIPART_OVERHEAD)
    app[TOWN] = town
    app[page_views.MAX_UPLOAD] = config.max_upload_bytes
    faults = Faults(town) if config.faults else None
    app.add_routes(bot_api.routes(town, methods, faults.meet if faults else None))
    app.add_routes(operator_api.routes(town, guests))
    if faults is not None:
        log.warning("faults_on", hint="the operator's side can make this server fail: never where people are")
        app.add_routes(faults_api.routes(faults, config.operator_token))
    app.add_routes(people_api.routes(town, guests))
    app.add_routes(page_views.routes())

    async def webhooks(_app: web.Application) -> AsyncIterator[None]:
        await methods.webhooks.start()
        yield
        await methods.webhooks.stop()
        town.store.close()

    async def wake_all(_app: web.Application) -> None:
        town.close()

    app.cleanup_ctx.append(webhooks)
    app.on_shutdown.append(wake_all)
    return app


@web.middleware
async def _worded(request: web.Request, handler: people_api.Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except PeopleError as error:
        return _refusal(error)
    except web.HTTPRequestEntityTooLarge:
        return _refusal(PeopleError(413, "too_large"))
    except web.HTTPException as error:
        if not request.path.startswith(WORDED):
            raise
        return _refusal(PeopleError(error.status, error.reason.lower().replace(" ", "_")))


def _refusal(error: PeopleError) -> web.Response:
    body = {"error": {"code": error.code, "message": error.message}}
    return people_api.answer(body, error.status)

"""The people's API as documented is the people's API as served."""

from tests.webchat_server import running_webchat
from webchat import people_api
from webchat.config import WebchatConfig
from webchat.guests import Guests
from webchat.openapi import PATHS, SCHEMAS
from webchat.town import Town


def test_every_route_of_the_people_is_documented_and_no_other(tmp_path):
    town = Town(WebchatConfig(data_dir=tmp_path, public_url="http://chat.test", operator_token="x"))
    served = {(route.path, route.method.lower()) for route in people_api.routes(town, Guests(town))}
    town.store.close()
    documented = {(path, method) for path, methods in PATHS.items() for method in methods}
    assert served - {("/openapi.json", "get")} == documented


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_reference_leads_to_a_schema():
    assert set(references(PATHS)) | set(references(SCHEMAS)) <= set(SCHEMAS)


async def test_the_document_is_served_without_a_session(tmp_path):
    async with running_webchat(tmp_path) as town, town.http.get(f"{town.origin}/openapi.json") as response:
        document = await response.json()
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": town.origin}]

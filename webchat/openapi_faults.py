"""The operator's routes for faults in OpenAPI, documented only by a server that has them."""

from typing import Any, Final

from webchat.faults import KINDS

ALL: Final = "/operator/faults"
NUMBER: Final[dict[str, Any]] = {"type": "integer"}
RULE: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["fault"],
    "properties": {
        "fault": {"enum": list(KINDS)},
        "bot": {"type": "string", "description": "A bot's username; any if absent"},
        "method": {"type": "string", "description": "A bot method; any but getUpdates if absent"},
        "chat_id": {**NUMBER, "description": "A chat; any if absent"},
        "times": {**NUMBER, "description": "How many requests it hits; until it is dropped if absent"},
        "share": {"type": "number", "description": "Of the requests it could hit, from 0 to 1"},
        "mean": {"type": "number", "description": "latency: seconds"},
        "spread": {"type": "number", "description": "latency: seconds to either side"},
        "status": {**NUMBER, "description": "error, page: 500-599"},
        "acted": {"type": "boolean", "description": "error, page, reset, half, stall: the method acts first"},
        "gently": {"type": "boolean", "description": "reset: end the connection, without a TCP reset"},
        "seconds": {"type": "number", "description": "stall"},
        "retry_after": {**NUMBER, "description": "flood: seconds"},
        "to": {**NUMBER, "description": "moved: the chat's new id"},
    },
}


def paths() -> dict[str, Any]:
    """Document the routes, for the OpenAPI document of a server that has them."""
    rules = {"type": "object", "properties": {"faults": {"type": "array", "items": RULE}}}
    listed = {"200": {"description": "The rules", "content": {"application/json": {"schema": rules}}}}
    refused = {"401": {"description": "Without the operator's token"}}
    body = {"oneOf": [RULE, {"type": "array", "items": RULE}]}
    number = {"name": "id", "in": "path", "required": True, "schema": NUMBER}
    return {
        ALL: {
            "get": {"summary": "List the faults in force", "responses": listed | refused},
            "post": {
                "summary": "Put faults into force",
                "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
                "responses": {"201": {"description": "Their ids"}, "400": {"description": "No such fault"}}
                | refused,
            },
            "delete": {"summary": "Drop all faults", "responses": listed | refused},
        },
        ALL + "/{id}": {
            "parameters": [number],
            "delete": {"summary": "Drop one fault", "responses": listed | refused},
        },
    }

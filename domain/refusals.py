"""The family of refusals: facts for which a use case says no.

A refusal's docstring is its readable reason; chat and console word it from the catalogue key
``refusal.<snake_name>``, with the attributes given to the constructor as its fields.
"""

import re
from typing import Any


class Refusal(Exception):  # noqa: N818 - refusals are named as facts, not as errors
    """The request cannot be fulfilled."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(self.__doc__)
        self.fields = fields

    @property
    def key(self) -> str:
        """The catalogue key, for example ``refusal.not_found``."""
        words = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
        return f"refusal.{words}"


class NotFound(Refusal):
    """It does not exist, or it is not yours to see: the two are told alike, so that nothing leaks."""


class NotAllowed(Refusal):
    """Your role does not include this action anywhere."""

"""A turn on a slice ends by no wall clock here, so that a busy machine changes no outcome."""

import pytest


@pytest.fixture(autouse=True)
def endless_turns(monkeypatch):
    monkeypatch.setattr("services.pipeline.TURN_SECONDS", float("inf"))

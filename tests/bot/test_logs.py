"""Logs: a canary token is hunted through every way a line can be written."""

import io
import json
import logging

import pytest
import structlog

from bot import logs

TOKEN = "7000000001:CANARYcanaryCANARYcanaryCANARYcanar"
URL = f"https://api.telegram.org/bot{TOKEN}/sendMessage"


@pytest.fixture(params=["console", "json"])
def stream(request):
    target = io.StringIO()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    logs.configure(style=request.param, known=["an-operators-secret"], stream=target)
    yield target
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def test_a_token_appears_in_no_log_whoever_writes_it(stream):
    log = structlog.get_logger("ours")
    log.info("called", url=URL, nested={"token": TOKEN}, words=[TOKEN])
    log.warning("in the event itself %s", TOKEN)
    logging.getLogger("aiohttp.client").warning("GET %s failed", URL)
    logging.getLogger("somebody").error("bytes %r", URL.encode())
    assert "CANARY" not in stream.getvalue()
    assert stream.getvalue().count(logs.HIDDEN) >= 5


def test_a_token_appears_in_no_traceback(stream):
    def call(url):
        msg = f"cannot connect to {url}"
        raise ConnectionError(msg)

    try:
        call(URL)
    except ConnectionError:
        structlog.get_logger("ours").exception("failed", hint=URL)
        logging.getLogger("theirs").exception("failed")
    text = stream.getvalue()
    assert "ConnectionError" in text
    assert "CANARY" not in text


def test_codes_keys_and_known_secrets_are_hidden(stream):
    log = structlog.get_logger("ours")
    log.info(
        "link", url="http://chat.test/in/abcdefghijklmnopqrstuv", start="?start=ABCDEFGHJKMNPQRSTVWXYZ0123"
    )
    log.info("auth", header="Authorization: Bearer abcdefgh12345678", operator="an-operators-secret")
    log.info("key", key="k1:" + "A" * 43 + "=")
    text = stream.getvalue()
    for secret in ("abcdefghijklmnop", "ABCDEFGHJKMN", "abcdefgh12345678", "operators-secret", "AAAAAAA"):
        assert secret not in text


def test_a_line_away_from_a_terminal_is_json():
    target = io.StringIO()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    logs.configure(style="auto", stream=target)
    structlog.get_logger("ours").info("ready", port=8080)
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()
    line = json.loads(target.getvalue())
    assert (line["event"], line["port"], line["level"]) == ("ready", 8080, "info")


def test_no_library_writes_down_values_however_talkative_the_log():
    target = io.StringIO()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    levels = {name: logging.getLogger(name).level for name in logs.OURS}
    logs.configure(level="debug", style="json", stream=target)
    logging.getLogger("aiosqlite").debug("executing INSERT ... (%s)", "a vote")
    logging.getLogger("a.library").debug("executing INSERT ... (%s)", "a vote")
    structlog.get_logger("services.anything").debug("looked", at="a poll")
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()
    assert "a vote" not in target.getvalue()
    assert "a poll" in target.getvalue()

"""One of each service, as the process builds them."""

from types import SimpleNamespace
from typing import Any

from bot.demo import settings_of
from bot.meters import Meters
from bot.settings import Settings
from bot.toolbox import build_toolbox
from locales import LANGUAGES, speak
from services.media import MediaStore


def test_the_console_has_a_name_for_whatever_is_told(database, clock, tmp_path):
    engine: Any = SimpleNamespace(jobs=None)
    settings = settings_of(Settings(_env_file=None, data_dir=tmp_path))
    toolbox = build_toolbox(
        settings, database, clock, engine=engine, opened={}, media=MediaStore(tmp_path), meters=Meters()
    )
    sources = set(toolbox.delivery.sources)
    assert {"notice", "poll", "digest", "account_halted"} <= sources
    for language in LANGUAGES:
        words = speak(language)
        assert {name for name in sources if f"console.source.{name}" not in words} == set()

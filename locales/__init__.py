"""Gettext catalogues, one ``.po`` file a feature and language, and the one class that reads them.

``locales/zh_CN/notices.po`` holds what the feature ``notices`` says in Chinese. A msgid is a key
(``notices.preview.title``), its msgstr a `str.format` template. Chinese comes first: it is the language
of a chat until its person chooses otherwise.
"""

from functools import cache
from importlib import resources
from typing import Any

LANGUAGES = ("zh_CN", "en")
DEFAULT = LANGUAGES[0]


class Words:
    """What the bridge says in one language: ``words("menu.title", name="王芳")``.

    `at_home` says whether it is said where data stays in the country: what is sensitive is said nowhere else.
    """

    def __init__(self, language: str, *, at_home: bool = True) -> None:
        self.language = language if language in LANGUAGES else DEFAULT
        self.at_home = at_home
        self._texts = _texts(self.language)

    def __call__(self, key: str, /, **fields: Any) -> str:
        """Say `key`; `KeyError` if the catalogue lacks it."""
        text = self._texts[key]
        return text[0].format_map(fields)

    def plural(self, key: str, number: int, /, **fields: Any) -> str:
        """Say `key` in the form that `number` asks for; the template may use ``{n}``."""
        forms = self._texts[key]
        form = forms[0] if number == 1 or len(forms) == 1 else forms[1]
        return form.format_map({"n": number, **fields})

    def __contains__(self, key: str) -> bool:
        return key in self._texts


@cache
def speak(language: str, *, at_home: bool = True) -> Words:
    """Return the shared `Words` of a language; an unknown one speaks Chinese."""
    return Words(language, at_home=at_home)


@cache
def _texts(language: str) -> dict[str, tuple[str, ...]]:
    from babel.messages.pofile import read_po

    texts: dict[str, tuple[str, ...]] = {}
    folder = resources.files(__name__) / language
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if not entry.name.endswith(".po"):
            continue
        with entry.open("rb") as file:
            catalogue = read_po(file, locale=language, abort_invalid=True)
        for message in catalogue:
            if not message.id:
                continue
            key = message.id if isinstance(message.id, str) else message.id[0]
            if key in texts:
                msg = f"{key} stands twice in {language}"
                raise ValueError(msg)
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            texts[key] = tuple(str(form) for form in forms)
    return texts

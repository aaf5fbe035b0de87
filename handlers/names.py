"""Names of organisations and of what they are, in the language of the chat."""

from domain.organisations import Organisation
from locales import Words


def name_of(words: Words, organisation: Organisation) -> str:
    """Return an organisation's name; in English its English one, where it has one."""
    if words.language == "en" and organisation.name_en:
        return organisation.name_en
    return organisation.name

"""Names of organisations and topics and of what they are, in the language of the chat."""

from domain.organisations import Organisation
from domain.topics import Topic
from locales import Words


def name_of(words: Words, named: Organisation | Topic) -> str:
    """Return the name of an organisation or a topic; in English its English one, where it has one."""
    if words.language == "en" and named.name_en:
        return named.name_en
    return named.name


def describe_kind(words: Words, organisation: Organisation) -> str:
    return words(f"org.kind.{organisation.kind}")


def account_name(words: Words, name: str) -> str:
    """Return what a messenger is called; an account that the operator named otherwise keeps its name."""
    key = f"account.{name}"
    return words(key) if key in words else name

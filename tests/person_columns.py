"""Which columns of the schema lead to a person: what no feature may add without a decision."""

import re

from storage.tables import metadata

_NAMED = re.compile(r"(^|_)(member|actor|author|owner|person|user|chat|subject)(_id)?$|(^|_)by(_id)?$|^phone")


def leading_to_a_person() -> set[str]:
    """Return ``table.column`` for each that refers to a member or a chat, by its key or by its name."""
    return {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if table.name != "member"
        and (
            any(key.target_fullname == "member.id" for key in column.foreign_keys)
            or _NAMED.search(column.name)
        )
    }


def of_a_member() -> set[str]:
    """Return the columns of the member's own row."""
    return {column.name for column in metadata.tables["member"].columns}

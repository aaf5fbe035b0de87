"""The table of facts about the database itself: whether it holds demo data, when it was backed up."""

from sqlmodel import Field

from storage.tables.base import Table


class MetaRow(Table, table=True):
    """A named fact, for example ``demo`` = ``yes``."""

    __tablename__ = "meta"

    name: str = Field(primary_key=True)
    value: str

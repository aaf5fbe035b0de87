"""Why a roster is refused as a whole: each fact names what the file is, and its words name the remedy."""

from domain.refusals import Refusal


class SheetRefused(Refusal):
    """The file cannot be taken in."""


class SheetEmpty(SheetRefused):
    """The file holds no rows."""


class SheetDamaged(SheetRefused):
    """The file is cut off or damaged."""


class SheetTooLarge(SheetRefused):
    """The file is larger than a roster may be."""


class SheetTooLong(SheetRefused):
    """The sheet has more rows than a roster may have."""


class SheetSuspicious(SheetRefused):
    """The file unpacks to far more than it holds, or defines entities: no spreadsheet program writes such."""


class SheetLocked(SheetRefused):
    """The workbook is protected by a password."""


class SheetIsOldExcel(SheetRefused):
    """The file is a workbook of Excel 97-2003."""


class SheetIsOpenDocument(SheetRefused):
    """The file is an OpenDocument sheet."""


class SheetIsBinaryExcel(SheetRefused):
    """The file is a binary workbook (XLSB)."""


class SheetIsPage(SheetRefused):
    """The file is a web page or XML with the ending of a sheet."""


class NotASheet(SheetRefused):
    """The file is neither CSV nor XLSX."""


class SheetEncodingUnknown(SheetRefused):
    """The text is in no encoding we read."""


class SheetUnbalanced(SheetRefused):
    """A quotation mark is opened and never closed."""


class SheetNotFound(SheetRefused):
    """The workbook has no sheet of that name."""


class NoHeadings(SheetRefused):
    """No row looks like headings."""


class ReaderGaveUp(SheetRefused):
    """Reading the file took too long or too much memory."""


class ColumnsMissing(Refusal):
    """A column that is needed has not been named."""


class ColumnNeverKept(Refusal):
    """This column holds what is never kept: a national ID number, an address and the like."""


class ColumnUnknown(Refusal):
    """There is no such column, or no such meaning."""


class RowsAreBad(Refusal):
    """Some rows are bad: put them right, or say that they are to be skipped."""


class RosterChanged(Refusal):
    """Something changed meanwhile: look at what would be done again."""


class ImportUnderWay(Refusal):
    """An import is being read or is over; this step does not fit."""


class NothingToImport(Refusal):
    """There is nothing to write."""


REFUSALS: dict[str, type[Refusal]] = {each.__name__: each for each in SheetRefused.__subclasses__()}
"""By name, to be told from one process to another."""

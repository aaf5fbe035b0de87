"""What the cells of a roster say: names, phones, days and kinds, as people and spreadsheet programs write them."""

import re
import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from domain.members import Standing
from domain.organisations import Level, OrganisationKind, RegionalMode
from domain.roster import Reason

Value = str | int | float | bool | date | datetime | None
"""A cell as it was read."""

NATIONAL_ID = re.compile(r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]")
"""GB 11643: place, birthday, sequence, check digit."""
LONGEST_NAME = 60
LONGEST_TEXT = 200
EARLIEST = date(1921, 7, 1)
_EXCEL_DAY_0 = date(1899, 12, 30)
_FIRST_SERIAL, _LAST_SERIAL = 7853, 73050  # 1921-07-01, 2099-12-31
_FORMULA_SIGNS = "=+-@＝＋－＠"

_DOTS = re.compile(r"\s*[·•・‧∙⋅･‥．]\s*")
_CJK = r"\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_INSIDE = re.compile(rf"(?<=[{_CJK}])\s+(?=[{_CJK}])")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_SPACES = re.compile(r"\s+")
_LIBRE_ERROR = re.compile(r"Err:\d{3}")
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})

_PHONE = re.compile(r"\+?\d{7,15}")
_PHONE_NOISE = re.compile(r"[\s\-()./—–_]+")
_MOBILE_DIGITS = 11
_DAY = re.compile(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*(?:日|号)?(?:\s+[\d:]+(?:\.\d+)?)?")
_COMPACT = re.compile(r"(19|20)(\d{2})(\d{2})(\d{2})")
_PART_OF_DAY = re.compile(r"\d{4}(?:\s*[-./年]\s*\d{0,2}\s*月?)?|(?:19|20)\d{4}")

_STANDINGS = {
    Standing.FULL: "正式 正式党员 正式成员 full fullmember 是 yes",
    Standing.PROBATIONARY: "预备 预备党员 预备成员 候补 probationary probationarymember 否 no",
}
_KINDS = {
    OrganisationKind.COMMITTEE: "党委 委员会 党组 工委 党工委 基层党委 committee",
    OrganisationKind.GENERAL_BRANCH: "总支 党总支 总支部 generalbranch",
    OrganisationKind.JOINT_BRANCH: "联合支部 联合党支部 联建 jointbranch",
    OrganisationKind.BRANCH: "支部 党支部 单建 单建支部 branch",
    OrganisationKind.GROUP: "小组 党小组 group",
    OrganisationKind.REGIONAL: "区域性党组织 区域党组织 区域 区域化 1+n regional regionalorganisation",
}
_KIND_ENDINGS = (
    (re.compile(r"联合(党)?支部$"), OrganisationKind.JOINT_BRANCH),
    (re.compile(r"总支(部)?(委员会)?$"), OrganisationKind.GENERAL_BRANCH),
    (re.compile(r"支部(委员会)?$"), OrganisationKind.BRANCH),
    (re.compile(r"小组$"), OrganisationKind.GROUP),
    (re.compile(r"区域(性|化)?党(组织|委)$"), OrganisationKind.REGIONAL),
    (re.compile(r"(党委|委员会|工委|党组)$"), OrganisationKind.COMMITTEE),
)
_LEVELS = {
    Level.CITY: "市 市级 city",
    Level.COUNTY: "县 区 县级 区级 区县 县区 区县级 县区级 区(县) 县(市、区) 区县(市) county district",
    Level.TOWNSHIP: "乡 镇 街道 乡镇 镇街 乡级 镇级 乡镇级 街道级 镇乡街道 乡镇街道 township street",
    Level.GRASSROOTS: "基层 基层级 村 社区 村社 村级 社区级 支部 支部级 grassroots",
}
_MODES = {
    RegionalMode.PARK: "园区 park",
    RegionalMode.STREET_BLOCK: "街区 streetblock",
    RegionalMode.AREA: "片区 area",
    RegionalMode.VILLAGE_ENTERPRISE: "村企 villageenterprise",
    RegionalMode.VILLAGE_NEIGHBOURHOOD: "村居 villageneighbourhood villageneighborhood",
    RegionalMode.BUSINESS_DISTRICT: "商圈 businessdistrict",
    RegionalMode.BUILDING: "楼宇 building",
    RegionalMode.TRADE: "行业 trade",
    RegionalMode.INDUSTRY: "产业 industry",
    RegionalMode.PERSONNEL: "人员 personnel",
}


class Unreadable(Exception):  # noqa: N818 - a fact
    """A cell that cannot be taken in, and why."""

    def __init__(self, reason: Reason, what: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.what = what


def text_of(value: Value) -> str:
    """Write a cell as a person reads it: half-width digits, no stray spaces, no Excel apostrophe, no ``.0``.

    >>> text_of(13800138000.0), text_of("　１３８ "), text_of("'+86")
    ('13800138000', '138', '+86')
    """
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = _CONTROL.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", str(value))))
    text = _SPACES.sub(" ", text).strip()
    if text.startswith("'") and len(text) > 1 and (text[1].isdigit() or text[1] in _FORMULA_SIGNS):
        text = text[1:].strip()
    return text


EMPTY_FORMULA = "#FORMULA!"
"""What a reader puts in the place of a formula whose result is not in the file."""


def checked(value: Value) -> str:
    """Return a cell's text; raises for an error of the sheet, and for a national ID number wherever it stands."""
    text = text_of(value)
    if text.upper() in _ERRORS or _LIBRE_ERROR.fullmatch(text):
        raise Unreadable(Reason.CELL_ERROR, text)
    if text == EMPTY_FORMULA:
        raise Unreadable(Reason.FORMULA_EMPTY)
    if NATIONAL_ID.fullmatch(text):
        raise Unreadable(Reason.NATIONAL_ID)
    return text


def name(value: Value) -> str:
    """Write a name in its one form: 张　三 is 张三, and every middle dot is ``·``.

    >>> name("张　三"), name("买买提•艾力"), name("Anna  Lee")
    ('张三', '买买提·艾力', 'Anna Lee')
    """
    text = _INSIDE.sub("", _DOTS.sub("·", checked(value))).strip("·' ")
    if not text:
        raise Unreadable(Reason.NAME_MISSING)
    if len(text) > LONGEST_NAME:
        raise Unreadable(Reason.NAME_TOO_LONG, text[:LONGEST_NAME])
    return text


def place(value: Value) -> str:
    """Write how a row names an organisation: a number, a name, or a path of names."""
    return _INSIDE.sub("", checked(value))[:LONGEST_TEXT]


def short(value: Value) -> str:
    text = checked(value)
    if len(text) > LONGEST_TEXT:
        raise Unreadable(Reason.TEXT_TOO_LONG)
    return text


def phone(value: Value) -> str:
    """Write a number as ``+`` and digits; an empty cell is no number.

    A number that the sheet shows in rounded form (``1.38E+10``) has lost its digits and is refused.
    """
    text = checked(value)
    if not text:
        return ""
    if re.fullmatch(r"\d+(\.\d+)?[eE]\+?\d+", text):
        text = _expanded(text)
    digits = _PHONE_NOISE.sub("", re.sub(r"\.0+$", "", text))
    if not _PHONE.fullmatch(digits):
        raise Unreadable(Reason.PHONE_UNREADABLE, text)
    if digits.startswith("1") and len(digits) != _MOBILE_DIGITS:
        raise Unreadable(Reason.PHONE_UNREADABLE, text)
    return digits


def day(value: Value, today: date) -> date | None:
    """Read a day: a date, ``2021.7.1``, ``2021年7月1日``, ``20210701``, or the number a sheet counts days by."""
    found = _day(value)
    if found is None:
        return None
    if found > today:
        raise Unreadable(Reason.DATE_FUTURE, found.isoformat())
    if found < EARLIEST:
        raise Unreadable(Reason.DATE_UNREADABLE, found.isoformat())
    return found


def standing(value: Value) -> str:
    return _meant(value, _STANDING_WORDS, Reason.STANDING_UNKNOWN)


def kind(value: Value) -> str:
    return _meant(value, _KIND_WORDS, Reason.KIND_UNKNOWN)


def kind_by_name(title: str) -> str:
    """Tell what an organisation is by how its name ends; empty if it does not say."""
    return next((str(found) for ending, found in _KIND_ENDINGS if ending.search(title)), "")


def level(value: Value) -> str:
    return _meant(value, _LEVEL_WORDS, Reason.LEVEL_UNKNOWN)


def mode(value: Value) -> str:
    return _meant(value, _MODE_WORDS, Reason.MODE_UNKNOWN)


def _day(value: Value) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = checked(value)
    if not text or text in {"-", "—", "/", "无"}:
        return None
    found = _DAY.fullmatch(text) or _COMPACT.fullmatch(text)
    if found:
        parts = found.groups()
        numbers = (parts[0] + parts[1], parts[2], parts[3]) if len(parts) > 3 else parts  # noqa: PLR2004 - the compact form
        return _calendar(text, *map(int, numbers))
    if _PART_OF_DAY.fullmatch(text):
        raise Unreadable(Reason.DATE_INCOMPLETE, text)
    serial = re.sub(r"\.\d+$", "", text)
    if serial.isdigit() and _FIRST_SERIAL <= int(serial) <= _LAST_SERIAL:
        return _EXCEL_DAY_0 + timedelta(days=int(serial))
    raise Unreadable(Reason.DATE_UNREADABLE, text)


def _calendar(text: str, year: int, month: int, number: int) -> date:
    try:
        return date(year, month, number)
    except ValueError:
        raise Unreadable(Reason.DATE_UNREADABLE, text) from None


def _expanded(text: str) -> str:
    """Write ``1.3800138000E+10`` in full, if all its digits are there."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Unreadable(Reason.PHONE_UNREADABLE, text) from None
    if len(number.as_tuple().digits) < _MOBILE_DIGITS or number != number.to_integral_value():
        raise Unreadable(Reason.PHONE_ROUNDED, text)
    return f"{number:f}".partition(".")[0]


def _key(text: str) -> str:
    return re.sub(r"[\s_\-]+|统筹$|模式$", "", text.lower())


def _words(table: dict[str, str]) -> dict[str, str]:
    return {_key(word): str(meant) for meant, words in table.items() for word in [meant, *words.split()]}


def _meant(value: Value, words: dict[str, str], reason: Reason) -> str:
    text = checked(value)
    if not text or text in {"-", "—", "/", "无"}:
        return ""
    found = words.get(_key(text)) or words.get(_key(re.sub(r"统筹.*$", "", text)))
    if found is None:
        raise Unreadable(reason, text[:LONGEST_NAME])
    return found


_STANDING_WORDS = _words({str(key): words for key, words in _STANDINGS.items()})
_KIND_WORDS = _words({str(key): words for key, words in _KINDS.items()})
_LEVEL_WORDS = _words({str(key): words for key, words in _LEVELS.items()})
_MODE_WORDS = _words({str(key): words for key, words in _MODES.items()})

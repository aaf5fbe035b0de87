"""What the headings of a roster mean, in Chinese and English, and where in a sheet they stand."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from domain.roster import COLUMNS, NEEDED, Column, Heading, Plan, RosterKind
from domain.roster_refusals import ColumnNeverKept, ColumnsMissing, ColumnUnknown
from domain.roster_values import NATIONAL_ID

DEEPEST = 20
"""Headings stand in the first lines, below a title or two."""
TALLEST = 3
"""Merged headings are at most so many lines high."""
_WIDEST = 30
"""What is longer is a sentence above the sheet, not a heading."""
_EXACT, _LIKE = 2, 1
_ASIDE = re.compile(r"[(\[【].*?[)\]】]")
_NOISE = re.compile(r"[\s*:_\-·.、。]+")

_SHARED = {
    Column.NUMBER: "编号 成员编号 党员编号 组织编号 党组织编号 组织代码 党组织代码 代码 工号 number no. code id memberno organisationcode",
}
_MEMBERS = {
    Column.NAME: "姓名 名字 党员姓名 成员姓名 党员 name fullname membername member",
    Column.PHONE: "手机 手机号 手机号码 电话 电话号码 联系电话 联系方式 移动电话 phone phonenumber mobile mobilephone cell tel telephone",
    Column.ORGANISATION: "所在党组织 所属党组织 所在支部 所属支部 所在党支部 所属党支部 党支部 支部 党组织 组织 所在组织 所属组织 "
    "支部名称 党组织名称 branch organisation organization home unit homeorganisation",
    Column.STANDING: "正式/预备 正式预备 正式或预备 党员类别 党员类型 人员类别 类别 身份 是否正式 是否预备 standing status type fullorprobationary",
    Column.JOINED: "入党日期 入党时间 加入日期 加入时间 加入党组织日期 加入党组织时间 joined joindate datejoined dateofjoining since",
}
_ORGANISATIONS = {
    Column.NAME: "组织名称 党组织名称 名称 党组织全称 组织全称 全称 党组织 组织 支部名称 name organisation organization organisationname organizationname",
    Column.NAME_EN: "英文名 英文名称 英文 nameinenglish englishname nameen english",
    Column.PARENT: "上级组织 上级党组织 上级 上级组织名称 上级党组织名称 隶属 隶属组织 隶属党组织 所属上级 parent parentorganisation parentorganization above reportsto",
    Column.KIND: "类别 组织类别 党组织类别 组织类型 党组织类型 类型 kind type category",
    Column.LEVEL: "层级 级别 组织层级 党组织层级 组织级别 level tier",
    Column.MODE: "统筹模式 统筹方式 统筹类型 模式 regionalmode coordinationmode mode",
    Column.CONTACT: "联系方式 联系电话 电话 办公电话 联系人 联系人及电话 contact phone contactphone",
}
_WORDS: Mapping[RosterKind, Mapping[Column, frozenset[str]]] = {
    kind: {
        column: frozenset(_NOISE.sub("", word) for word in words.split())
        for column, words in {**_SHARED, **table}.items()
    }
    for kind, table in (
        (RosterKind.MEMBERS, _MEMBERS),
        (RosterKind.ORGANISATIONS, _ORGANISATIONS),
    )
}
_PATTERNS: Mapping[RosterKind, Mapping[Column, re.Pattern[str]]] = {
    RosterKind.MEMBERS: {
        Column.NAME: re.compile(r"姓名|^name"),
        Column.PHONE: re.compile(r"手机|电话|mobile|phone"),
        Column.ORGANISATION: re.compile(r"(所在|所属).*(组织|支部|单位)|branch|organi[sz]ation"),
        Column.STANDING: re.compile(r"正式|预备|standing|probation"),
        Column.JOINED: re.compile(r"(入党|加入).*(日期|时间|年月)|joined"),
    },
    RosterKind.ORGANISATIONS: {
        Column.NAME: re.compile(r"组织.*(名称|全称)|支部名称"),
        Column.PARENT: re.compile(r"上级|隶属|parent"),
        Column.KIND: re.compile(r"(组织|支部)(类别|类型)"),
        Column.LEVEL: re.compile(r"层级|级别|level"),
        Column.MODE: re.compile(r"统筹|mode"),
    },
}
_NEVER = re.compile(
    r"身份证|证件号|公民身份|护照|国民身份|idcard|nationalid|identitycard|idno|passport|identification"
    r"|住址|地址|户籍|居住地|address|工资|收入|薪|income|salary|健康|疾病|病史|health|照片|相片|photo|银行|bank|经纬度|定位|location"
)


def plain(text: str) -> str:
    """Write a heading as it is compared: half-width, small, without spaces, marks and what stands in brackets.

    >>> plain("手 机＊（必填）"), plain("Full Name:")
    ('手机', 'fullname')
    """
    wide = unicodedata.normalize("NFKC", text).lower()
    return _NOISE.sub("", _ASIDE.sub("", wide)) or _NOISE.sub("", wide)


def is_never(text: str) -> bool:
    """Say whether a heading names what is never kept (DOMAIN.md 4.2)."""
    return bool(_NEVER.search(plain(text)))


def fit(text: str, column: Column, kind: RosterKind) -> int:
    """Say how well a heading names a column: 0 not at all, 2 by one of its own words."""
    word = plain(text)
    if not word or _NEVER.search(word):
        return 0
    if word in _WORDS[kind][column]:
        return _EXACT
    pattern = _PATTERNS[kind].get(column)
    return _LIKE if pattern is not None and pattern.search(word) else 0


def guess(texts: Sequence[str], kind: RosterKind) -> dict[Column, int]:
    """Give each column the heading that fits it best; of two alike the first, and none gets two meanings."""
    fits = [
        (-fit(text, column, kind), index, order, column)
        for order, column in enumerate(COLUMNS[kind])
        for index, text in enumerate(texts)
        if fit(text, column, kind)
    ]
    found: dict[Column, int] = {}
    for _, index, _, column in sorted(fits):
        if column not in found and index not in found.values():
            found[column] = index
    return found


def kind_of(texts: Sequence[str]) -> RosterKind:
    """Say what the rows below these headings are: members have a place, organisations one above them."""

    def weight(kind: RosterKind) -> tuple[int, int]:
        found = guess(texts, kind)
        needed = sum(column in found for column in NEEDED[kind])
        return needed, sum(fit(texts[index], column, kind) for column, index in found.items())

    members, organisations = weight(RosterKind.MEMBERS), weight(RosterKind.ORGANISATIONS)
    return RosterKind.ORGANISATIONS if organisations > members else RosterKind.MEMBERS


def find_headings(rows: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """Return where headings begin and end among the first rows of a sheet (half-open); `None` if nowhere.

    A merged heading fills its first cell only: of a column, the lowest text that is not empty counts.
    """
    best: tuple[int, int] | None = None
    most = 1
    for height in range(1, TALLEST + 1):
        for start in range(min(len(rows), DEEPEST) - height + 1):
            known = _known(joined(rows[start : start + height]))
            if known > most and all(_known(row) for row in (rows[start], rows[start + height - 1])):
                best, most = (start, start + height), known
    if best is not None and best[1] - best[0] < TALLEST and _goes_on(rows, *best):
        return best[0], best[1] + 1
    return best


def joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """Put the lines of merged headings together."""
    width = max((len(row) for row in rows), default=0)
    columns = [[row[index].strip() for row in rows if index < len(row)] for index in range(width)]
    return [next((text for text in reversed(cells) if text), "") for cells in columns]


def headings(texts: Sequence[str], samples: Sequence[Sequence[str]], kind: RosterKind) -> tuple[Heading, ...]:
    """Say what each column is taken for; one that holds national ID numbers is never kept, whatever its name."""
    never = {index for index, text in enumerate(texts) if is_never(text) or _holds_ids(index, samples)}
    allowed = ["" if index in never else text for index, text in enumerate(texts)]
    meant = {index: column for column, index in guess(allowed, kind).items()}
    return tuple(
        Heading(index, text.strip(), meant.get(index), index in never)
        for index, text in enumerate(texts)
        if text.strip() or index in never
    )


def _holds_ids(index: int, samples: Sequence[Sequence[str]]) -> bool:
    cells = [row[index].strip() for row in samples if index < len(row) and row[index].strip()]
    ids = sum(1 for cell in cells if NATIONAL_ID.fullmatch(cell))
    return ids > 0 and 2 * ids >= len(cells)


def change(found: Sequence[Heading], kind: RosterKind, plan: Plan, index: int, wanted: Column | None) -> Plan:
    """Let a column of the sheet mean something else, or nothing; what meant that before means nothing now."""
    heading = next((each for each in found if each.index == index), None)
    if heading is None or (wanted is not None and wanted not in COLUMNS[kind]):
        raise ColumnUnknown
    if heading.never:
        raise ColumnNeverKept(column=heading.text)
    others = {column: at for column, at in plan.items() if at != index and column is not wanted}
    return others if wanted is None else {**others, wanted: index}


def spoken(text: str, found: Sequence[Heading], kind: RosterKind) -> tuple[int, Column | None]:
    """Read ``手机=phone`` or ``备注=-`` (nothing), as an operator types it."""
    name, _, meaning = text.rpartition("=")
    indexes = [each.index for each in found if plain(each.text) == plain(name)]
    if not indexes:
        raise ColumnUnknown
    wanted = plain(meaning)
    if wanted in {"", "none"}:
        return indexes[0], None
    for column in COLUMNS[kind]:
        if wanted == plain(column.value) or wanted in _WORDS[kind][column]:
            return indexes[0], column
    raise ColumnUnknown


def check(kind: RosterKind, plan: Plan) -> None:
    """Refuse a plan that lacks what is needed."""
    lacking = [column for column in NEEDED[kind] if column not in plan]
    if lacking:
        raise ColumnsMissing(columns=", ".join(lacking))


def _goes_on(rows: Sequence[Sequence[str]], start: int, end: int) -> bool:
    """Say whether the next line belongs to the headings: it has some, and none below the merged one of the name."""
    below = rows[end] if end < len(rows) else ()
    texts = joined(rows[start:end])
    names = [found[Column.NAME] for kind in RosterKind if Column.NAME in (found := guess(texts, kind))]
    return bool(_known(below)) and all(at >= len(below) or not below[at].strip() for at in names)


def _known(texts: Sequence[str]) -> int:
    """Count the headings among some texts, for whichever kind of roster fits better."""
    return max(
        sum(1 for index in guess(texts, kind).values() if len(texts[index]) < _WIDEST) for kind in RosterKind
    )

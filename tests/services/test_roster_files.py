import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from domain.roster import Bad, Column, Reason, RosterKind
from domain.roster_refusals import (
    NoHeadings,
    NotASheet,
    SheetDamaged,
    SheetEmpty,
    SheetEncodingUnknown,
    SheetIsBinaryExcel,
    SheetIsOldExcel,
    SheetIsOpenDocument,
    SheetIsPage,
    SheetLocked,
    SheetNotFound,
    SheetSuspicious,
    SheetTooLarge,
    SheetTooLong,
    SheetUnbalanced,
)
from services import roster_files, roster_xlsx

DATA = Path(__file__).parent.parent / "data" / "roster"
TODAY = date(2026, 3, 4)
TEXT = "姓名,手机,所在党组织\n王芳,13805740001,北大路支部\n张伟,13805740002,北大路支部\n"


def read(data, **more):
    seen = roster_files.look(data, **more)
    return list(roster_files.lines(data, seen, seen.plan, TODAY))


def names(data):
    return [row.name for row in read(data)]


def book(*rows, **cells):
    made = Workbook()
    for row in rows:
        made.active.append(row)
    for where, value in cells.items():
        made.active[where] = value
    held = io.BytesIO()
    made.save(held)
    return held.getvalue()


def rezipped(data, change):
    """Write a workbook again, each part through `change(name, content)`."""
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, change(part.filename, old.read(part.filename)))
    return held.getvalue()


LINK = (
    b'<externalReferences xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    b'<externalReference r:id="rId99"/></externalReferences></workbook>'
)
HEAD = ("姓名", "手机", "所在党组织")
PLAIN = book(HEAD, ("王芳", 13805740001, "北大路支部"))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_csv_is_read_in_each_encoding(encoding):
    assert names(TEXT.encode(encoding)) == ["王芳", "张伟"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "；"])
def test_csv_is_read_with_each_separator(separator):
    assert names(TEXT.replace(",", separator).encode()) == ["王芳", "张伟"]


def test_a_first_line_may_name_the_separator():
    assert names(("sep=;\r\n" + TEXT.replace(",", ";")).encode()) == ["王芳", "张伟"]


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_csv_is_read_with_each_line_ending(ending):
    assert names(TEXT.replace("\n", ending).encode()) == ["王芳", "张伟"]


def test_lines_are_counted_as_a_spreadsheet_program_counts_them():
    text = '姓名,支部\n"王\n芳",一\n\n,二\n'
    assert read(text.encode())[1] == Bad(4, Reason.NAME_MISSING)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", SheetEmpty),
        (b"\xef\xbb\xbf\r\n", SheetEmpty),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), SheetIsOldExcel),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), SheetLocked),
        (b"%PDF-1.7", NotASheet),
        (b"<html><table>", SheetIsPage),
        (b'<?xml version="1.0"?><Workbook>', SheetIsPage),
        (b"PK\x03\x04 cut off", SheetDamaged),
        (PLAIN[: len(PLAIN) // 2], SheetDamaged),
        (TEXT.encode()[:-3] + b"\xe5\x8c", SheetDamaged),
        (TEXT.encode("gb18030")[:-2], SheetDamaged),
        (b"\x80\xff\x80\xff,abc\n" * 20, SheetEncodingUnknown),
        (b"\x00\x01\x02\x03\x04" * 100, SheetEncodingUnknown),
        ('姓名,支部\n"王芳,一\n张伟,二\n'.encode(), SheetUnbalanced),
        ("王芳,一\n张伟,二\n".encode(), NoHeadings),
        (bytes(roster_files.LARGEST + 1), SheetTooLarge),
    ],
)
def test_what_is_no_roster_is_refused_by_its_name(data, refusal):
    with pytest.raises(refusal):
        read(data)


def test_files_of_other_programs_are_named():
    with pytest.raises(SheetIsOpenDocument):
        read((DATA / "merged.ods").read_bytes())
    with pytest.raises(SheetIsOldExcel):
        read((DATA / "members.xls").read_bytes())
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("xl/workbook.bin", b"x")
    with pytest.raises(SheetIsBinaryExcel):
        read(held.getvalue())


def test_a_sheet_is_found_by_its_headings_or_its_name():
    data = (DATA / "merged.xlsx").read_bytes()
    assert roster_files.look(data).sheet == "名单"
    with pytest.raises(SheetNotFound):
        roster_files.look(data, name="没有")
    with pytest.raises(NoHeadings):
        roster_files.look(data, name="说明")


def test_a_sheet_of_libreoffice_with_three_bad_rows_is_read():
    found = read((DATA / "members.xlsx").read_bytes())
    assert [row.line for row in found] == [2, 3, 4, 5, 6, 7]
    assert [row for row in found if isinstance(row, Bad)] == [
        Bad(5, Reason.PHONE_UNREADABLE, "1380574"),
        Bad(7, Reason.NAME_MISSING),
    ]
    assert found[2].name == "买买提·艾力"


def test_merged_cells_formulas_and_days_of_libreoffice_are_read():
    found = read((DATA / "merged.xlsx").read_bytes())
    assert [(row.name, row.phone, row.organisation, row.joined) for row in found] == [
        ("王芳", "13805740001", "北大路支部", date(2001, 7, 1)),
        ("张伟", "13805740002", "北大路支部", date(2003, 9, 2)),
        ("陈静", "13805740009", "北大路支部", date(2025, 6, 30)),
    ]


@pytest.mark.parametrize("name", ["organisations.xlsx", "organisations-gb18030.csv"])
def test_organisations_of_libreoffice_are_read(name):
    data = (DATA / name).read_bytes()
    found = read(data)
    assert roster_files.look(data).kind is RosterKind.ORGANISATIONS
    assert [row.name for row in found if not isinstance(row, Bad)] == ["月湖街道", "天一商圈", "月湖支部"]


def test_a_formula_without_a_result_is_a_bad_row():
    found = read(book(HEAD, ("王芳", "=1+13805740000", "一"), ("张伟", 13805740002, "一")))
    assert found[0] == Bad(2, Reason.FORMULA_EMPTY)
    assert found[1].phone == "13805740002"


def test_a_sheet_that_claims_to_be_huge_is_read_by_what_it_holds():
    def claim(name, content):
        return content.replace(b'ref="A1:C2"', b'ref="A1:XFD1048576"') if "sheet1" in name else content

    assert names(rezipped(PLAIN, claim)) == ["王芳"]


def test_a_cell_far_below_and_far_right_does_no_harm():
    def corner(name, content):
        row = b'<row r="30000"><c r="XFD30000"><v>1</v></c></row></sheetData>'
        return content.replace(b"</sheetData>", row) if "sheet1" in name else content

    assert names(rezipped(PLAIN, corner)) == ["王芳"]


def test_a_part_that_unpacks_to_far_more_is_refused_before_it_is_unpacked():
    def bomb(name, content):
        return content + b" " * 20_000_000 if "sheet1" in name else content

    with pytest.raises(SheetSuspicious):
        read(rezipped(PLAIN, bomb))


def test_a_part_that_hides_its_size_gives_no_more_than_it_says():
    data = bytearray(
        rezipped(PLAIN, lambda name, content: content + b" " * 5000 if "sheet1" in name else content)
    )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        part = next(each for each in archive.infolist() if "sheet1" in each.filename)
        size = part.file_size.to_bytes(4, "little")
    at = data.rfind(size)
    data[at : at + 4] = (100).to_bytes(4, "little")
    with pytest.raises(SheetDamaged):
        read(bytes(data))


def test_entities_are_refused_before_any_are_expanded():
    def laugh(name, content):
        entities = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
        return entities + content.partition(b"?>")[2] if "sheet1" in name else content

    with pytest.raises(SheetSuspicious):
        read(rezipped(PLAIN, laugh))


def test_links_to_other_workbooks_are_not_followed():
    held = io.BytesIO(
        rezipped(
            PLAIN,
            lambda name, content: (
                content.replace(b"</workbook>", LINK) if name == "xl/workbook.xml" else content
            ),
        )
    )
    with zipfile.ZipFile(held, "a") as archive:
        archive.writestr("xl/externalLinks/externalLink1.xml", b"<externalLink/>")
    assert names(held.getvalue()) == ["王芳"]


def test_a_workbook_of_too_many_parts_is_refused():
    held = io.BytesIO(PLAIN)
    with zipfile.ZipFile(held, "a") as archive:
        for number in range(roster_xlsx.MOST_PARTS):
            archive.writestr(f"x/{number}", b"")
    with pytest.raises(SheetSuspicious):
        read(held.getvalue())


@pytest.mark.parametrize(
    "part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "[Content_Types].xml"]
)
def test_damage_inside_a_workbook_is_one_clear_word(part):
    whole = (DATA / "members.xlsx").read_bytes()
    broken = rezipped(whole, lambda name, content: content[: len(content) // 2] if name == part else content)
    with pytest.raises(SheetDamaged):
        read(broken)


def test_a_sheet_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(roster_files, "MOST_ROWS", 1)
    with pytest.raises(SheetTooLong):
        read(TEXT.encode())


def test_bad_lines_are_picked_as_they_stand_without_what_is_never_kept():
    data = (DATA / "members.xlsx").read_bytes()
    seen = roster_files.look(data)
    picked = dict(roster_files.pick(data, seen, {5}))
    assert picked == {5: ["李梅", "1380574", "北大路支部", "正式", "2010-01-05", ""]}
    assert [each.text for each in seen.headings if each.never] == ["身份证号"]


def test_columns_can_be_read_by_another_plan():
    seen = roster_files.look(TEXT.encode())
    (first, _) = roster_files.lines(TEXT.encode(), seen, {Column.NAME: 2, Column.ORGANISATION: 0}, TODAY)
    assert (first.name, first.organisation, first.phone) == ("北大路支部", "王芳", "")

from datetime import UTC, date, datetime
from io import BytesIO

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sheets import SheetForm, safe_cell, sheet_bytes, unsafe_text, writing

RISKY = ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "＝1+1", "|cmd", "%x", '=cmd|"/C calc"!A0']


@pytest.mark.parametrize("text", RISKY)
def test_text_that_a_spreadsheet_would_run_is_made_plain(text):
    assert str(safe_cell(text)).startswith("'")


def test_names_numbers_and_dates_stay_as_they_are():
    assert [safe_cell(each) for each in ("张三", "O'Neil", -5, None)] == ["张三", "O'Neil", -5, None]


@given(st.text(alphabet="=+-@ '1a张\t"))
@settings(max_examples=50)
def test_what_was_made_plain_reads_as_it_was_written(text):
    safe = str(safe_cell(text))
    assert safe == text or unsafe_text(safe) == text


def test_a_csv_opens_in_excel_as_utf8():
    made = sheet_bytes([["姓名", "备注"], ["张三", "=1"]], SheetForm.CSV)
    assert made == "\ufeff姓名,备注\r\n张三,'=1\r\n".encode()


def test_a_workbook_holds_text_as_text_and_dates_as_dates():
    when = datetime(2026, 3, 4, tzinfo=UTC)
    made = sheet_bytes([["=1+1", date(2026, 3, 4), 7, when]], SheetForm.XLSX, title="名单/2026")
    sheet = openpyxl.load_workbook(BytesIO(made)).worksheets[0]
    first, second, third, fourth = sheet[1]
    assert (first.value, first.data_type) == ("'=1+1", "s")
    assert (second.value.date(), third.value, fourth.value) == (date(2026, 3, 4), 7, when.isoformat())
    assert sheet.title == "名单 2026"


def test_characters_that_no_sheet_can_hold_are_left_out():
    made = sheet_bytes([["张\x00三\x1f"]], SheetForm.XLSX)
    assert openpyxl.load_workbook(BytesIO(made)).worksheets[0]["A1"].value == "张三"


def test_a_sheet_is_written_row_by_row_into_a_file(tmp_path):
    with writing(tmp_path / "a.csv", SheetForm.CSV) as sheet:
        sheet.add(["一"])
        sheet.add(["二"])
    assert (tmp_path / "a.csv").read_bytes() == "\ufeff一\r\n二\r\n".encode()

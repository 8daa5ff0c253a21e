"""The sample files: each is what its name says, passes the server's upload check, and is the same every time."""

import io
import zipfile
from collections.abc import AsyncIterator

import openpyxl
import pypdf
import pytest

from services.demo import sample_files as files
from services.demo.document_texts import DOCUMENTS
from services.demo.sample_files import SampleFile
from services.storage.upload_rules import check_upload, clean_name, kind_of

STORED = sorted(path.name for path in files.FILES.iterdir() if not path.name.startswith("portrait"))
SAMPLES = [
    *(files.pdf(title) for title in DOCUMENTS), *(files.docx(title) for title in DOCUMENTS),
    *(files.stored(name) for name in STORED), *(files.portrait(number) for number in range(9)),
]  # fmt: skip


async def stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
async def test_the_server_accepts_each_sample(sample: SampleFile):
    assert clean_name(sample.name) == sample.name
    kind = kind_of(sample.name)
    assert kind.content_type == sample.content_type
    assert b"".join([chunk async for chunk in check_upload(stream(sample.content), kind)]) == sample.content


@pytest.mark.parametrize("title", DOCUMENTS)
def test_a_pdf_and_a_word_document_contain_the_text(title: str):
    reader = pypdf.PdfReader(io.BytesIO(files.pdf(title).content))
    printed = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert title in printed and reader.metadata.title == title
    with zipfile.ZipFile(io.BytesIO(files.docx(title).content)) as archive:
        assert archive.testzip() is None
        written = archive.read("word/document.xml").decode()
    for text in DOCUMENTS[title]:
        assert " ".join(text.removeprefix("- ").split()[:4]) in printed
        assert text.removeprefix("- ") in written


def test_the_workbook_opens():
    workbook = files.sample("measurements")
    assert workbook.name == "Drivetrain measurements.xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(workbook.content)).active
    assert [cell.value for cell in sheet[1]][:2] == ["Job", "Chain wear %"] and sheet.max_row == 4


def test_the_same_sample_has_the_same_bytes():
    for make in (files.pdf, files.docx):
        first = make("Torque chart").content
        make.cache_clear()
        assert make("Torque chart").content == first


def test_each_portrait_is_another_picture_and_any_number_has_one():
    assert len({files.portrait(number).content for number in range(9)}) == 9
    assert files.portrait(1004) == files.portrait(1004 % 9)

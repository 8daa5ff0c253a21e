"""The sample files: each is what its name promises, passes the server's own check, and is the same every time."""

import io
import zipfile
from collections.abc import AsyncIterator

import openpyxl
import pypdf
import pytest

from services.demo import sample_files as files
from services.demo.sample_files import PAGES, Sample
from services.storage.upload_types import check_upload, clean_name, kind_of

SAMPLES = [
    *(files.pdf(title) for title in PAGES), *(files.docx(title) for title in PAGES), files.measurements(),
    files.job_cards(), files.witness_statement(), files.workstation_photo(), files.rotor_photo(),
    *(files.portrait(number) for number in range(8)),
]  # fmt: skip


async def stream(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
async def test_the_server_would_take_each_sample(sample: Sample):
    assert clean_name(sample.name) == sample.name
    kind = kind_of(sample.name, sample.content_type)
    assert kind.content_type == sample.content_type
    assert b"".join([chunk async for chunk in check_upload(stream(sample.content), kind)]) == sample.content


@pytest.mark.parametrize("title", PAGES)
def test_a_pdf_and_a_word_document_hold_the_words(title: str):
    reader = pypdf.PdfReader(io.BytesIO(files.pdf(title).content))
    printed = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert title in printed and reader.metadata.title == title
    with zipfile.ZipFile(io.BytesIO(files.docx(title).content)) as archive:
        assert archive.testzip() is None
        written = archive.read("word/document.xml").decode()
    for text in PAGES[title]:
        assert " ".join(text.removeprefix("- ").split()[:4]) in printed
        assert text.removeprefix("- ") in written


def test_the_workbook_opens():
    sheet = openpyxl.load_workbook(io.BytesIO(files.measurements().content)).active
    assert [cell.value for cell in sheet[1]][:2] == ["Job", "Chain wear %"] and sheet.max_row == 4


def test_the_same_sample_is_the_same_bytes():
    for make in (files.pdf, files.docx):
        first = make("Torque chart").content
        make.cache_clear()
        assert make("Torque chart").content == first
    first = files.measurements().content
    files.measurements.cache_clear()
    assert files.measurements().content == first

"""The sample files of the demo: PDFs and Word documents made from `document_texts`, and the files in `files/`.

All of them were made for Waymark.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import typst

from services.demo.document_texts import DOCUMENTS
from services.storage.upload_rules import kind_of

FILES = Path(__file__).parent / "files"

# Archives store dates: a fixed one makes the bytes of a document the same every time.
_ARCHIVE_DATE = (2026, 1, 5, 9, 0, 0)


@dataclass(frozen=True, slots=True)
class SampleFile:
    """A file as a person would upload it."""

    name: str
    content_type: str
    content: bytes


def sample(key: str) -> SampleFile:
    """The sample file that the texts of the demo refer to by this key."""
    return _SAMPLES[key]()


@cache
def stored(file_name: str, name: str | None = None) -> SampleFile:
    """A file in `files/`, such as "job-cards.csv", under a name as people write it: "Job cards.csv"."""
    path = FILES / file_name
    name = name or path.stem.replace("-", " ").capitalize() + path.suffix
    return _sample_file(name, path.read_bytes())


def portrait(number: int) -> SampleFile:
    """One of nine portraits, as a learner's photo; any number is accepted."""
    return stored(f"portrait-{number % 9 + 1}.png", "Photo.png")


@cache
def pdf(title: str) -> SampleFile:
    """A document as a PDF in A4."""
    items = "\n\n".join(
        f"#list[#{_typst_string(text[2:])}]" if text.startswith("- ") else f"#{_typst_string(text)}"
        for text in DOCUMENTS[title]
    )
    source = (
        f"#set document(title: {_typst_string(title)}, date: none)\n"
        "#set page(paper: \"a4\", margin: 25mm, numbering: \"1\")\n"
        "#set text(size: 11pt, lang: \"en\", region: \"GB\")\n"
        f"#text(size: 18pt, weight: \"bold\", {_typst_string(title)})\n\n{items}\n"
    )  # fmt: skip
    return _sample_file(f"{_file_name(title)}.pdf", typst.compile(source.encode()))


@cache
def docx(title: str) -> SampleFile:
    """A document as a Word file."""

    def paragraph(text: str, large: bool = False) -> str:
        style = '<w:rPr><w:b/><w:sz w:val="36"/></w:rPr>' if large else ""
        return f'<w:p><w:r>{style}<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'

    lines = paragraph(title, large=True) + "".join(
        paragraph("\u2022 " + text[2:] if text.startswith("- ") else text) for text in DOCUMENTS[title]
    )
    opening = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" '
        f'ContentType="{kind_of("a.docx").content_type}.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{office}" '
        'Target="word/document.xml"/></Relationships>',
        "word/document.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
        f"{lines}</w:body></w:document>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _ARCHIVE_DATE), opening + text, zipfile.ZIP_DEFLATED)
    return _sample_file(f"{_file_name(title)}.docx", out.getvalue())


def _sample_file(name: str, content: bytes) -> SampleFile:
    return SampleFile(name, kind_of(name).content_type, content)


def _file_name(title: str) -> str:
    return title.replace(":", " -")


def _typst_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_SAMPLES: dict[str, Callable[[], SampleFile]] = {
    "wheel": lambda: pdf("Wheel build record"),
    "brake": lambda: pdf("Brake bleed log"),
    "risk": lambda: docx("Risk assessment of my workstation"),
    "account": lambda: docx("Reflective account"),
    "photo": lambda: stored("workstation.png"),
    "rotor": lambda: stored("rotor-after-truing.jpg"),
    "jobs": lambda: stored("job-cards.csv"),
    "measurements": lambda: stored("drivetrain-measurements.xlsx"),
    "bearings": lambda: docx("Workbook: bearings"),
    "batteries": lambda: docx("Questions: working safely on batteries"),
    "torque": lambda: pdf("Torque chart"),
    "handout": lambda: pdf("Handout: handling batteries"),
    "handbook": lambda: pdf("Course handbook"),
    "witness statement": lambda: stored("witness-statement.txt"),
}

"""Accepted uploads: name and content must agree, and active content is refused under every name."""

import io
import zipfile

import pytest

from services.storage.upload_rules import KINDS, UnacceptableUpload, check_upload, clean_name, kind_of

OFFICE = "application/vnd.openxmlformats-officedocument."


def content_types(main: str, subtype: str) -> str:
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
        f'ContentType="x"/><Override PartName="/{main}" ContentType="{OFFICE}{subtype}.main+xml"/></Types>'
    )


WORD = content_types("word/document.xml", "wordprocessingml.document")


def archive(*members: str, types: str = WORD, first: tuple[str, str] | None = None, padding: int = 0) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        if first:
            opened.writestr(zipfile.ZipInfo(first[0]), first[1])
        if padding:
            opened.writestr(zipfile.ZipInfo("media/film.bin"), bytes(padding))
        for member in members:
            opened.writestr(member, types if member == "[Content_Types].xml" else "<x/>")
    return made.getvalue()


def odf(kind: str) -> bytes:
    return archive(
        "content.xml", "META-INF/manifest.xml", first=("mimetype", f"application/vnd.oasis.opendocument.{kind}")
    )


SAMPLES = {
    "a.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "a.docx": archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    "a.xlsx": archive(
        "xl/workbook.xml", "[Content_Types].xml", types=content_types("xl/workbook.xml", "spreadsheetml.sheet")
    ),
    "a.pptx": archive(
        "[Content_Types].xml", "ppt/p2.xml", types=content_types("ppt/p2.xml", "presentationml.presentation")
    ),
    "a.odt": odf("text"),
    "a.ods": odf("spreadsheet"),
    "a.odp": odf("presentation"),
    "a.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "a.png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "a.webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "a.heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "a.gif": b"GIF89a\x01\x00\x01\x00",
    "a.txt": "Ffôn â'r tîm: £5 – done.\r\n".encode(),
    "a.csv": b"date,minutes\n2026-11-02,90\n",
    "a.md": b"# What I learned\n\n<b>bold</b> is fine in the middle\n",
    "a.mp3": b"ID3\x04\x00\x00\x00\x00\x00\x00",
    "a.m4a": b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00",
    "a.wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "a.mp4": b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00",
    "a.mov": b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00",
    "a.3gp": b"\x00\x00\x00\x14ftyp3gp4\x00\x00\x02\x00",
    "a.avif": b"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00",
    "a.webm": b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm",
    "a.opus": b"OggS\x00\x02" + bytes(20) + b"\x01\x13OpusHead\x01",
    "a.amr": b"#!AMR\n\x3c",
}
HOSTILE = {
    "html": b"<!DOCTYPE html><script>alert(1)</script>",
    "html after blanks": b"\xef\xbb\xbf  \n<HTML><body onload=x>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>",
    "xml": b"<?xml version='1.0'?><svg/>",
    "exe": b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff",
    "elf": b"\x7fELF\x02\x01\x01\x00",
    "shell": b"#!/bin/sh\nrm -rf ~\n",
    "php": b"<?php system($_GET[0]); ?>",
    "old word": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "plain archive": archive("anything.txt"),
}


async def pass_through(name: str, content: bytes, size: int = 1000) -> bytes:
    async def stream():
        for at in range(0, len(content), size):
            yield content[at : at + size]

    return b"".join([chunk async for chunk in check_upload(stream(), kind_of(name))])


def test_every_kind_has_a_sample():
    assert {kind_of(name) for name in SAMPLES} == set(KINDS)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_a_file_of_its_kind_passes_unchanged(name, size):
    assert await pass_through(name, SAMPLES[name], size) == SAMPLES[name]


@pytest.mark.parametrize("name", SAMPLES)
async def test_a_file_of_another_kind_is_refused(name):
    text_kinds, films = {"a.txt", "a.csv", "a.md"}, {"a.m4a", "a.mp4", "a.mov", "a.3gp"}
    for other, content in SAMPLES.items():
        if other == name or {name, other} <= text_kinds or {name, other} <= films:
            continue
        with pytest.raises(UnacceptableUpload):
            await pass_through(name, content)


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", SAMPLES)
async def test_active_content_is_refused_under_every_name(name, hostile):
    with pytest.raises(UnacceptableUpload):
        await pass_through(name, HOSTILE[hostile])


@pytest.mark.parametrize("name", ["x.html", "x.svg", "x.exe", "x.js", "x.docm", "x.zip", "x", ".pdf", "a.pdf.exe"])
def test_other_endings_are_refused_with_the_accepted_ones(name):
    with pytest.raises(UnacceptableUpload, match="Accepted endings are pdf, docx, "):
        kind_of(name)


def test_an_error_says_what_to_do_instead():
    with pytest.raises(
        UnacceptableUpload, match=r"Files ending in \.doc are not accepted\. Save it as \.docx or PDF\."
    ):
        kind_of("CV.DOC")


async def test_an_error_names_the_actual_kind():
    with pytest.raises(
        UnacceptableUpload, match=r"named like a JPEG picture, but it is a HEIC picture.*ending in \.heic"
    ):
        await pass_through("IMG_1.jpg", SAMPLES["a.heic"])


async def test_a_control_character_anywhere_in_a_text_is_refused():
    with pytest.raises(UnacceptableUpload):
        await pass_through("a.txt", b"a" * 50_000 + b"\x00")


async def test_the_members_of_a_large_document_are_read_from_its_end():
    large = archive("[Content_Types].xml", "word/document.xml", padding=3_000_000)
    assert await pass_through("a.docx", large) == large


async def test_macros_are_refused_before_anything_is_passed_on():
    passed = bytearray()
    content = archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")

    async def stream():
        yield content

    with pytest.raises(UnacceptableUpload, match="macros"):
        async for chunk in check_upload(stream(), kind_of("a.docx")):
            passed += chunk
    assert not passed


async def test_an_empty_file_is_refused():
    with pytest.raises(UnacceptableUpload, match="empty"):
        await pass_through("a.pdf", b"")


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("evidence.pdf", "evidence.pdf"),
        ("C:\\Users\\Dai\\My work.docx", "My work.docx"),
        ("../../etc/passwd", "passwd"),
        ("report\u202efdp.exe", "reportfdp.exe"),
        ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie_ x=1.pdf"),
        ("zero\u200bwidth\x00.txt", "zerowidth .txt"),
        ("cafe\u0301.png", "café.png"),
        ("  ..hidden..  ", "hidden"),
        ("a/", "file"),
        ("", "file"),
        ("\ud800.pdf", "pdf"),
        ('what?<is>"this"|*.pdf', "what__is__this___.pdf"),
    ],
)
def test_names_are_cleaned(given, clean):
    assert clean_name(given) == clean


def test_long_names_keep_their_ending():
    assert clean_name("x" * 500 + ".docx") == "x" * 195 + ".docx"
    assert clean_name(clean_name("ŵ" * 999 + ".pdf")) == clean_name("ŵ" * 999 + ".pdf")


@pytest.mark.parametrize("main", ["word/document2.xml", "Word/Document.XML", "elsewhere/main.xml"])
@pytest.mark.parametrize("padding", [0, 3_000_000])
async def test_the_main_part_is_the_one_that_the_content_types_name(main: str, padding: int):
    content = archive("[Content_Types].xml", main, types=content_types(main, "wordprocessingml.document"))
    large = archive(
        main, "[Content_Types].xml", types=content_types(main, "wordprocessingml.document"), padding=padding
    )
    for each in (content, large):
        assert await pass_through("a.docx", each) == each


@pytest.mark.parametrize(
    "types",
    [
        content_types("word/missing.xml", "wordprocessingml.document"),
        content_types("word/document.xml", "spreadsheetml.sheet"), "<not xml", "<!DOCTYPE x><Types/>", "",
    ],
)  # fmt: skip
async def test_content_types_without_the_main_part_are_refused(types: str):
    with pytest.raises(UnacceptableUpload, match="its content is something else"):
        await pass_through("a.docx", archive("[Content_Types].xml", "word/document.xml", types=types))


async def test_a_document_with_a_password_gets_a_sentence_that_says_so():
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
    for name in ("a.docx", "a.xlsx", "a.pptx"):
        with pytest.raises(UnacceptableUpload, match="protected with a password"):
            await pass_through(name, ole)


@pytest.mark.parametrize("brand", [b"XAVC", b"mp42", b"isml", b"3gp5", b"qt  ", b"hvc1"])
async def test_films_of_phones_of_any_brand_are_accepted(brand: bytes):
    content = b"\x00\x00\x00\x18ftyp" + brand + bytes(8)
    for name in ("a.mov", "a.mp4", "a.3gp", "a.m4a"):
        assert await pass_through(name, content) == content


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_text_in_utf_16_is_accepted_and_checked(encoding: str, size: int):
    def encoded(text: str) -> bytes:
        return ("\ufeff" + text).encode(encoding)

    text = encoded("Ffôn 李 👩 " * 500)
    assert await pass_through("a.txt", text, size) == text
    for wrong in (encoded("a\x00b"), encoded("<script>x")):
        with pytest.raises(UnacceptableUpload):
            await pass_through("a.txt", wrong, size)


def test_jfif_and_other_endings():
    assert kind_of("IMG.JFIF").content_type == "image/jpeg"
    assert kind_of("voice.ogg").content_type == "audio/ogg" and kind_of("a.3gpp").content_type == "video/3gpp"

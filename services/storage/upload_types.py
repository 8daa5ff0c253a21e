"""Which files may be kept: an allow-list by name and by content, which must agree, checked while the bytes stream."""

import unicodedata
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from services.storage import magic_numbers as signs

NAME_LENGTH = 200
# Enough for every sign at the beginning, and for the member list at the end of an office document.
HEAD = 4096
TAIL = 512 * 1024


class UnacceptableUpload(Exception):
    """A file that may not be kept; the message is a sentence for the person who sent it."""


@dataclass(frozen=True, slots=True)
class UploadKind:
    """One kind of file: what people call it, its endings, the type it is served as, and how its content is known.

    `starts` looks at the first bytes; `text` says that every byte must be text; `members` names what an archive of this
    kind must hold. `aliases` are other types that browsers announce for it.
    """

    title: str
    endings: tuple[str, ...]
    content_type: str
    starts: Callable[[bytes], bool]
    aliases: tuple[str, ...] = ()
    text: bool = False
    members: tuple[str, ...] = ()


_ZIP = ("application/zip", "application/x-zip-compressed")
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."


def _office(title: str, ending: str, subtype: str, member: str) -> UploadKind:
    return UploadKind(title, (ending,), _OFFICE + subtype, signs.archive, _ZIP, members=("[Content_Types].xml", member))


def _open_document(title: str, ending: str, subtype: str) -> UploadKind:
    return UploadKind(
        title, (ending,), _ODF + subtype, signs.open_document(_ODF + subtype), _ZIP, members=("mimetype", "content.xml")
    )


KINDS = (
    UploadKind("PDF", (".pdf",), "application/pdf", signs.pdf, ("application/x-pdf",)),
    _office("Word document", ".docx", "wordprocessingml.document", "word/document.xml"),
    _office("Excel workbook", ".xlsx", "spreadsheetml.sheet", "xl/workbook.xml"),
    _office("PowerPoint presentation", ".pptx", "presentationml.presentation", "ppt/presentation.xml"),
    _open_document("OpenDocument text", ".odt", "text"),
    _open_document("OpenDocument spreadsheet", ".ods", "spreadsheet"),
    _open_document("OpenDocument presentation", ".odp", "presentation"),
    UploadKind("JPEG picture", (".jpg", ".jpeg"), "image/jpeg", signs.jpeg, ("image/jpg", "image/pjpeg")),
    UploadKind("PNG picture", (".png",), "image/png", signs.png, ("image/x-png",)),
    UploadKind("WebP picture", (".webp",), "image/webp", signs.riff(b"WEBP")),
    UploadKind(
        "HEIC picture", (".heic", ".heif"), "image/heic", signs.brand(signs.HEIC), ("image/heif", "image/heic-sequence")
    ),
    UploadKind("GIF picture", (".gif",), "image/gif", signs.gif),
    UploadKind("text file", (".txt",), "text/plain", signs.text, text=True),
    UploadKind(
        "CSV table",
        (".csv",),
        "text/csv",
        signs.text,
        ("text/plain", "application/csv", "text/comma-separated-values", "application/vnd.ms-excel"),
        text=True,
    ),
    UploadKind("Markdown text", (".md",), "text/markdown", signs.text, ("text/plain", "text/x-markdown"), text=True),
    UploadKind("MP3 recording", (".mp3",), "audio/mpeg", signs.mp3, ("audio/mp3",)),
    UploadKind(
        "M4A recording", (".m4a",), "audio/mp4", signs.brand(signs.M4A), ("audio/x-m4a", "audio/m4a", "video/mp4")
    ),
    UploadKind(
        "WAV recording", (".wav",), "audio/wav", signs.riff(b"WAVE"), ("audio/x-wav", "audio/wave", "audio/vnd.wave")
    ),
    UploadKind("MP4 film", (".mp4", ".m4v"), "video/mp4", signs.brand(signs.MP4), ("video/x-m4v", "audio/mp4")),
    UploadKind("QuickTime film", (".mov",), "video/quicktime", signs.quicktime),
)

_BY_ENDING = {ending: kind for kind in KINDS for ending in kind.endings}
_LIST = ", ".join(kind.endings[0][1:] for kind in KINDS[:-1]) + " or " + KINDS[-1].endings[0][1:]
# What people have on their disks that is not kept, and what they can do instead.
_INSTEAD = {
    ".doc": "Save it as .docx or PDF",
    ".docm": "Save it as .docx without macros",
    ".xls": "Save it as .xlsx",
    ".xlsm": "Save it as .xlsx without macros",
    ".ppt": "Save it as .pptx or PDF",
    ".pptm": "Save it as .pptx without macros",
    ".pages": "Export it as PDF",
    ".numbers": "Export it as .xlsx",
    ".key": "Export it as PDF",
    ".rtf": "Save it as .docx",
    ".zip": "Send the files one by one",
    ".html": "Print it to PDF",
    ".htm": "Print it to PDF",
    ".svg": "Export it as PNG",
    ".bmp": "Save it as PNG",
    ".tif": "Save it as PNG or PDF",
    ".tiff": "Save it as PNG or PDF",
}


def clean_name(name: str) -> str:
    """A file name that is safe to show, to keep and to put into a header: "evidence.pdf".

    Takes the last part of a path, drops control characters, direction overrides, invisible characters and what file
    systems refuse, folds white space, and shortens to 200 characters, keeping the ending. Never empty: "file" where
    nothing is left.
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/")).rsplit("/", 1)[-1]
    # Cc control, Cf format (direction overrides, zero width), Cs lone surrogates, Co private, Cn unassigned, Zl Zp
    # breaks.
    kept = (
        ""
        if unicodedata.category(c) in {"Cf", "Cs", "Co", "Cn"}
        else " "
        if unicodedata.category(c) in {"Cc", "Zs", "Zl", "Zp"}
        else "_"
        if c in '<>:"|?*'
        else c
        for c in name
    )
    name = " ".join("".join(kept).split()).strip(". ")
    if len(name) > NAME_LENGTH:
        ending = PurePosixPath(name).suffix
        ending = ending if 0 < len(ending) <= 10 else ""
        name = name[: NAME_LENGTH - len(ending)].rstrip(". ") + ending
    return name or "file"


def kind_of(name: str, announced: str = "") -> UploadKind:
    """The kind that a (clean) name and the type a client announces stand for. Raises Unacceptable with a sentence.

    An empty type and application/octet-stream announce nothing: then the name alone decides, and the content later.
    """
    ending = PurePosixPath(name).suffix.lower()
    kind = _BY_ENDING.get(ending)
    if kind is None:
        instead = _INSTEAD.get(ending)
        what = f"Files ending in {ending} cannot be kept" if ending else "The file name has no ending"
        raise UnacceptableUpload(f"{what}. {instead + '. ' if instead else ''}The file must be one of: {_LIST}.")
    media = announced.split(";")[0].strip().lower()
    if media not in {"", "application/octet-stream", kind.content_type, *kind.aliases}:
        announced = clean_name(media.replace("/", " "))
        raise UnacceptableUpload(f"{name} ends like a {kind.title}, but was announced as {announced}.")
    return kind


async def check_upload(stream: AsyncIterator[bytes], kind: UploadKind) -> AsyncIterator[bytes]:
    """The same bytes, as long as they are what the kind promises; otherwise Unacceptable, before anything is kept.

    The beginning is judged before the first byte is passed on, text all along, and an archive's members before the
    stream ends: whoever writes it never sees the end of a file that is refused. Holds 1 MiB at most.
    """
    head, begun = bytearray(), False
    tail = bytearray()
    async for chunk in stream:
        if kind.text and not signs.is_text(chunk):
            raise _unlike(kind)
        if kind.members:
            tail += chunk
            if len(tail) > 2 * TAIL:
                del tail[:-TAIL]
        if begun:
            yield chunk
            continue
        head += chunk
        if len(head) >= HEAD:
            _check_start(kind, head)
            begun = True
            yield bytes(head)
    if not begun:
        _check_start(kind, head)
    if kind.members:
        _check_members(kind, bytes(tail[-TAIL:]))
    if not begun:
        yield bytes(head)


def _check_start(kind: UploadKind, head: bytes | bytearray) -> None:
    if not head:
        raise UnacceptableUpload("The file is empty.")
    start = bytes(head[:HEAD])
    if not kind.starts(start):
        actual = next((other for other in KINDS if not other.text and not other.members and other.starts(start)), None)
        raise _unlike(kind, actual)


def _check_members(kind: UploadKind, tail: bytes) -> None:
    members = signs.members(tail)
    if members is None or not members.issuperset(kind.members):
        raise _unlike(kind)
    if signs.has_macros(members):
        raise UnacceptableUpload("The document contains macros. Save it without them and send it again.")


def _unlike(kind: UploadKind, actual: UploadKind | None = None) -> UnacceptableUpload:
    if actual is not None:
        return UnacceptableUpload(
            f"The file is named like a {kind.title}, but it is a {actual.title}: "
            f"give it a name ending in {actual.endings[0]}, or send another file."
        )
    return UnacceptableUpload(
        f"The file is named like a {kind.title}, but its content is something else. "
        "Open it, save it again, and send the new file."
    )

"""What can be uploaded: the largest size, the kinds of files, and names.

Name and content must agree, which is checked while the bytes stream. How many uploads may wait unused is set in
`services/quotas.py`.
"""

import unicodedata
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from domain.sentences import say
from services.storage import magic_numbers
from services.storage.office_documents import CONTENT_TYPES, content_types, has_main_part

# Enough for a video of a few minutes from a phone.
MAX_UPLOAD_BYTES = 100 * 1024 * 1024
MAX_NAME_LENGTH = 200
# Bytes at the start that every magic number fits in, and bytes at the end that hold an office document's directory.
HEAD = 4096
TAIL = 512 * 1024


class UnacceptableUpload(Exception):
    """A file that is not accepted; the message is for the person who uploads it."""


@dataclass(frozen=True, slots=True)
class UploadKind:
    """One kind of file. `title` has an article ("a PDF"); `endings` are those of file names, in lower case.

    `content_type` is what it is served as, whatever a browser announces. `starts` checks the
    first bytes; `text` means that every byte must be text; `members` are the files that an archive must contain, and
    `main_part` the content type of the part of an Office document that is the document.
    """

    title: str
    endings: tuple[str, ...]
    content_type: str
    starts: Callable[[bytes], bool]
    text: bool = False
    members: tuple[str, ...] = ()
    main_part: str | None = None


_OFFICE = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."


def _office(title: str, ending: str, subtype: str) -> UploadKind:
    return UploadKind(
        title, (ending,), _OFFICE + subtype, magic_numbers.zip_archive, members=(CONTENT_TYPES,),
        main_part=f"{_OFFICE}{subtype}.main+xml",
    )  # fmt: skip


def _open_document(title: str, ending: str, subtype: str) -> UploadKind:
    return UploadKind(
        title,
        (ending,),
        _ODF + subtype,
        magic_numbers.open_document(_ODF + subtype),
        members=("mimetype", "content.xml"),
    )


KINDS = (
    UploadKind("a PDF", (".pdf",), "application/pdf", magic_numbers.pdf),
    _office("a Word document", ".docx", "wordprocessingml.document"),
    _office("an Excel workbook", ".xlsx", "spreadsheetml.sheet"),
    _office("a PowerPoint presentation", ".pptx", "presentationml.presentation"),
    _open_document("an OpenDocument text", ".odt", "text"),
    _open_document("an OpenDocument spreadsheet", ".ods", "spreadsheet"),
    _open_document("an OpenDocument presentation", ".odp", "presentation"),
    UploadKind("a JPEG picture", (".jpg", ".jpeg", ".jfif"), "image/jpeg", magic_numbers.jpeg),
    UploadKind("a PNG picture", (".png",), "image/png", magic_numbers.png),
    UploadKind("a WebP picture", (".webp",), "image/webp", magic_numbers.riff(b"WEBP")),
    UploadKind("a HEIC picture", (".heic", ".heif"), "image/heic", magic_numbers.iso_media(magic_numbers.HEIC_BRANDS)),
    UploadKind("an AVIF picture", (".avif",), "image/avif", magic_numbers.iso_media(magic_numbers.AVIF_BRANDS)),
    UploadKind("a GIF picture", (".gif",), "image/gif", magic_numbers.gif),
    UploadKind("a text file", (".txt",), "text/plain", magic_numbers.text, text=True),
    UploadKind("a CSV table", (".csv",), "text/csv", magic_numbers.text, text=True),
    UploadKind("a Markdown text", (".md",), "text/markdown", magic_numbers.text, text=True),
    UploadKind("an MP3 recording", (".mp3",), "audio/mpeg", magic_numbers.mp3),
    UploadKind("an M4A recording", (".m4a",), "audio/mp4", magic_numbers.film),
    UploadKind("a WAV recording", (".wav",), "audio/wav", magic_numbers.riff(b"WAVE")),
    UploadKind("an Ogg recording", (".opus", ".ogg", ".oga"), "audio/ogg", magic_numbers.ogg),
    UploadKind("an AMR recording", (".amr",), "audio/amr", magic_numbers.amr),
    UploadKind("an MP4 film", (".mp4", ".m4v"), "video/mp4", magic_numbers.film),
    UploadKind("a 3GP film", (".3gp", ".3gpp", ".3g2"), "video/3gpp", magic_numbers.film),
    UploadKind("a WebM film", (".webm",), "video/webm", magic_numbers.webm),
    UploadKind("a QuickTime film", (".mov",), "video/quicktime", magic_numbers.film),
)

_BY_ENDING = {ending: kind for kind in KINDS for ending in kind.endings}
_ACCEPTED = ", ".join(kind.endings[0][1:] for kind in KINDS[:-1]) + " or " + KINDS[-1].endings[0][1:]
# Common types that are not accepted, and what to do instead.
_INSTEAD = {
    ".doc": "SAVE_AS_DOCX_OR_PDF",
    ".docm": "SAVE_AS_DOCX_WITHOUT_MACROS",
    ".xls": "SAVE_AS_XLSX",
    ".xlsm": "SAVE_AS_XLSX_WITHOUT_MACROS",
    ".ppt": "SAVE_AS_PPTX_OR_PDF",
    ".pptm": "SAVE_AS_PPTX_WITHOUT_MACROS",
    ".pages": "EXPORT_AS_PDF",
    ".numbers": "EXPORT_AS_XLSX",
    ".key": "EXPORT_AS_PDF",
    ".rtf": "SAVE_AS_DOCX",
    ".zip": "SEND_FILES_ONE_BY_ONE",
    ".html": "PRINT_TO_PDF",
    ".htm": "PRINT_TO_PDF",
    ".svg": "EXPORT_AS_PNG",
    ".bmp": "SAVE_IT_AS_PNG",
    ".tif": "SAVE_IT_AS_PNG_OR_PDF",
    ".tiff": "SAVE_IT_AS_PNG_OR_PDF",
}


def clean_name(name: str) -> str:
    """A file name that is safe to show, to store and to put into a header: "evidence.pdf".

    Takes the last part of a path, removes control, direction and invisible characters, replaces those that file systems
    forbid, collapses white space, and shortens to 200 characters with the ending. Returns "file" if nothing is left.
    """
    name = unicodedata.normalize("NFC", name.replace("\\", "/")).rsplit("/", 1)[-1]
    # Unicode categories: Cc control, Cf format (direction, zero width), Cs lone surrogate, Co private, Cn unassigned,
    # Z separators.
    cleaned = (
        ""
        if unicodedata.category(c) in {"Cf", "Cs", "Co", "Cn"}
        else " "
        if unicodedata.category(c) in {"Cc", "Zs", "Zl", "Zp"}
        else "_"
        if c in '<>:"|?*'
        else c
        for c in name
    )
    name = " ".join("".join(cleaned).split()).strip(". ")
    if len(name) > MAX_NAME_LENGTH:
        ending = PurePosixPath(name).suffix
        ending = ending if 0 < len(ending) <= 10 else ""
        name = name[: MAX_NAME_LENGTH - len(ending)].rstrip(". ") + ending
    return name or "file"


def kind_of(name: str) -> UploadKind:
    """The kind of file of a clean name. Raises UnacceptableUpload.

    The content is checked when it arrives. What a browser announces does not count: it often guesses.
    """
    ending = PurePosixPath(name).suffix.lower()
    kind = _BY_ENDING.get(ending)
    if kind is None:
        if not ending:
            raise UnacceptableUpload(say("FILE_WITHOUT_ENDING", accepted=_ACCEPTED))
        instead = _INSTEAD.get(ending)
        if instead is None:
            raise UnacceptableUpload(say("FILE_ENDING_NOT_ACCEPTED", ending=ending, accepted=_ACCEPTED))
        raise UnacceptableUpload(say("FILE_TO_CONVERT", ending=ending, instead=say(instead), accepted=_ACCEPTED))
    return kind


async def check_upload(stream: AsyncIterator[bytes], kind: UploadKind) -> AsyncIterator[bytes]:
    """Yields the same bytes. Raises UnacceptableUpload, before the stream ends, if they are not of `kind`.

    The start is checked before the first byte is yielded, text in every chunk, and an archive's members before the
    stream ends, so that a writer never completes a file that is not accepted. Buffers 2 MiB at most.
    """
    head, start_checked = bytearray(), False
    first, tail, size = bytearray(), bytearray(), 0
    text = magic_numbers.TextCheck()
    async for chunk in stream:
        size += len(chunk)
        if kind.text and not text.accepts(chunk):
            raise _mismatch(kind)
        if kind.members:
            first += chunk[: TAIL - len(first)]
            tail += chunk
            if len(tail) > 2 * TAIL:
                del tail[:-TAIL]
        if start_checked:
            yield chunk
            continue
        head += chunk
        if len(head) >= HEAD:
            check_start(kind, head)
            start_checked = True
            yield bytes(head)
    if not start_checked:
        check_start(kind, head)
    if kind.members:
        _check_members(kind, bytes(first), bytes(tail[-TAIL:]), size)
    if not start_checked:
        yield bytes(head)


def check_start(kind: UploadKind, head: bytes | bytearray) -> None:
    """Checks the first bytes of a file, `HEAD` of them unless it is shorter. Raises UnacceptableUpload."""
    if not head:
        raise UnacceptableUpload("The file is empty.")
    start = bytes(head[:HEAD])
    if kind.members and magic_numbers.ole(start):
        raise UnacceptableUpload(
            f"The document is protected with a password, or it is of an older type with the ending {kind.endings[0]}. "
            f"Open it, remove the password, save it as {kind.endings[0]}, and send it again."
        )
    if not kind.starts(start):
        actual = next((other for other in KINDS if not other.text and not other.members and other.starts(start)), None)
        raise _mismatch(kind, actual)


def _check_members(kind: UploadKind, head: bytes, tail: bytes, size: int) -> None:
    members = magic_numbers.archive_members(tail)
    if members is None or not members.issuperset(kind.members):
        raise _mismatch(kind)
    if magic_numbers.has_macros(members):
        raise UnacceptableUpload("The document contains macros. Save it without them and send it again.")
    if kind.main_part is not None:
        types = content_types(head, tail, size)
        if types is None or not has_main_part(types, kind.main_part, members):
            raise _mismatch(kind)


def _mismatch(kind: UploadKind, actual: UploadKind | None = None) -> UnacceptableUpload:
    if actual is not None:
        return UnacceptableUpload(
            f"The file is named like {kind.title}, but it is {actual.title}. "
            f"Give it a name ending in {actual.endings[0]}, or send another file."
        )
    return UnacceptableUpload(
        f"The file is named like {kind.title}, but its content is something else. "
        "Open it, save it again, and send the new file."
    )

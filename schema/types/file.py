"""Files and the links to their content."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.file import FileRow
from resolvers import signed_urls
from resolvers.file import accepted_file_kinds
from schema.field_builders import attribute, person, resolved
from schema.relay import Node, node

if TYPE_CHECKING:
    from schema.types.user import User


@strawberry.type(description="A link to a file or an export, valid for a short time.")
class Download:
    url: str = attribute("The address. It needs no token: anyone who has it can fetch the content until it expires.")
    expires_at: dt.datetime = attribute("When the address expires. Request the field again for a new one.")


@node(FileRow, "An uploaded file.")
class File(Node):
    name: str = attribute("The file's name with its extension.")
    content_type: str = attribute("The media type, such as `application/pdf`.")
    size: int = attribute("The size in bytes.")
    sha256: str = attribute("The SHA-256 digest of the content, in lower-case hexadecimal.")
    uploaded_by: Annotated["User", strawberry.lazy("schema.types.user")] | None = person(
        "The user who uploaded it; null if the account no longer exists.", "uploaded_by_key"
    )
    uploaded_at: dt.datetime = attribute("When the upload finished.")
    download: Download = resolved(
        "A link to the content, valid for five minutes and only while the viewer may see the file.",
        lambda row, info: signed_urls.to_file(info.context, row.key),
        reads=("key",),
    )
    preview: Download | None = resolved(
        "A link to a picture of the first page or frame, as WebP, valid as `download` is; null for kinds that have "
        "none: there are pictures of photos and PDFs up to 60 MB. It is made when the link is first opened, which "
        "answers 404 where the content cannot be shown.",
        lambda row, info, width: signed_urls.to_preview(info.context, row, width),
        defaults={"width": 320},
        width=Annotated[
            int,
            strawberry.argument(
                description="How wide the picture may be, in pixels, at least 64. There are pictures of 64, 160, 320, "
                "640 and 1280 pixels."
            ),
        ],
    )


@strawberry.type(description="A kind of file that can be uploaded.")
class AcceptedFileKind:
    content_type: str = attribute("The media type that it is stored and served with, such as `image/jpeg`.")
    endings: list[str] = attribute(
        "The endings of file names of this kind, in lower case, such as `.jpg`. The name decides, whatever "
        "media type a browser announces, and the content must agree with it."
    )
    max_bytes: int = attribute("The largest size of such a file, in bytes.")
    has_preview: bool = attribute("Whether `File.preview` gives pictures of it.")


@strawberry.type
class FileQueries:
    accepted_files: list[AcceptedFileKind] = resolved(
        "The kinds of files that `fileUploadCreate` accepts: for the choice of a file, and to say before an upload "
        "begins why a file is refused.",
        lambda root, info: accepted_file_kinds(info.context),
    )

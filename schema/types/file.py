"""Files and the links to their bytes."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.file import FileRow
from resolvers import signed_urls as link
from schema.field_builders import Info, attribute, person
from schema.relay import Node, node

if TYPE_CHECKING:
    from schema.types.user import User


@strawberry.type(description="A short-lived address of a file's bytes, to be opened as it is.")
class Download:
    url: str = attribute("Serves the bytes to whoever holds it, until it expires.")
    expires_at: dt.datetime = attribute("When the address stops working; ask again for another.")


@node(FileRow, "One file that was uploaded.")
class File(Node):
    name: str = attribute("Its name, with its ending.")
    content_type: str = attribute("Its media type, such as application/pdf.")
    size: int = attribute("In bytes.")
    sha256: str = attribute("The SHA-256 of its bytes, in lower-case hexadecimal.")
    uploaded_by: Annotated["User", strawberry.lazy("schema.types.user")] | None = person(
        "Who uploaded it.", "uploaded_by_key"
    )
    uploaded_at: dt.datetime = attribute("When its bytes arrived.")

    @strawberry.field(description="A link to its bytes, good for five minutes and for this viewer's sight of it.")
    def download(root: FileRow, info: Info) -> Download:
        return link.to_file(info.context, root.key)  # type: ignore[return-value]

"""The mutation of files: announce an upload."""

import datetime as dt

import strawberry

from resolvers import file as files
from schema.field_builders import attribute
from schema.payload import mutation, payload, required, result


@strawberry.input(description="A file to upload.")
class FileUploadInput:
    name: str = attribute("The file name with its ending, such as `review.pdf`.")
    content_type: str = attribute("The media type; `application/octet-stream` if it is not known.")
    size: int = attribute("The exact size in bytes, up to 100 MiB.")


@strawberry.type(description="One HTTP header.")
class HttpHeader:
    name: str = attribute("The name of the header.")
    value: str = attribute("The value of the header.")


@strawberry.type(description="Where to send the bytes of a file.")
class FileUpload:
    file_id: strawberry.ID = attribute("The id of the file. Use it in other mutations once the bytes have arrived.")
    url: str = attribute("PUT the bytes to this address, with the headers, before expiresAt.")
    headers: list[HttpHeader] = attribute("The headers to send with the bytes.")
    expires_at: dt.datetime = attribute("When the address expires.")


@payload("The result of the announcement of a file.")
class FileUploadPayload:
    upload: FileUpload | None = result("Where to send the bytes.", make=files.upload_target)


@strawberry.type
class FileMutations:
    file_upload_create = mutation(
        FileUploadPayload,
        files.upload_create,
        "Announces a file and returns the address to which its bytes are sent. Its id is then used in other mutations. "
        "A file that no record uses is deleted after two days.",
        input=required(FileUploadInput, "The file."),
    )

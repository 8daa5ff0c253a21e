"""The mutation of files: a place to send the bytes of one."""

import datetime as dt

import strawberry

from resolvers import file as files
from schema.field_builders import attribute
from schema.payload import mutation, payload, required, result


@strawberry.input(description="A file that is about to be sent.")
class FileUploadInput:
    name: str = attribute("Its name with its ending, such as `review.pdf`.")
    content_type: str = attribute("Its media type; `application/octet-stream` where it is not known.")
    size: int = attribute("In bytes: exactly what will be sent, at most 100 MiB.")


@strawberry.type(description="One HTTP header.")
class HttpHeader:
    name: str = attribute("Its name.")
    value: str = attribute("Its value.")


@strawberry.type(description="Where to send the bytes of one file.")
class FileUpload:
    file_id: strawberry.ID = attribute("The file's id: named where the file is used, once the bytes have arrived.")
    url: str = attribute("PUT the bytes here, with these headers, before expiresAt.")
    headers: list[HttpHeader] = attribute("To be sent with the bytes.")
    expires_at: dt.datetime = attribute("Until when the link is good.")


@payload("The place for the file.")
class FileUploadPayload:
    upload: FileUpload | None = result("Where to send the bytes.")


@strawberry.type
class FileMutations:
    file_upload_create = mutation(
        FileUploadPayload,
        files.upload_create,
        "A place to PUT the bytes of one file; its id is then named where the file is used.",
        input=required(FileUploadInput, "The file."),
    )

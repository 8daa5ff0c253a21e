"""The mutation of files: a place to send the bytes of one."""

import datetime as dt
from typing import Annotated

import strawberry

from resolvers import file as file_
from resolvers.file import UploadPlace
from schema.field_builders import Info, attribute
from schema.payload import UserError, answer, errors_field, plain


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


@strawberry.type(description="The place for the file.")
class FileUploadPayload:
    upload: FileUpload | None = attribute("Where to send the bytes.")
    errors: list[UserError] = errors_field()


async def _as_it_is(place: UploadPlace, _: object) -> UploadPlace:
    return place


@strawberry.type
class FileMutations:
    @strawberry.mutation(
        description="A place to PUT the bytes of one file; its id is then named where the file is used."
    )
    async def file_upload_create(
        self, info: Info, input: Annotated[FileUploadInput, strawberry.argument(description="The file.")]
    ) -> FileUploadPayload:
        write = file_.upload_create(info.context, **plain(input))
        return await answer(info, FileUploadPayload, write, upload=_as_it_is)

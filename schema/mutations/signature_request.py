"""Mutations of documents to sign: ask, sign, cancel."""

from collections.abc import Awaitable
from typing import Annotated, Any

import strawberry

from loaders.signature_request import SignatureRequestLoader
from resolvers import signature_request as signature_request_
from schema.enums import Role
from schema.field_builders import Id, Info, attribute
from schema.payload import UserError, answer, errors_field, plain
from schema.types.signature_request import SignatureRequest
from schema.types.viewer import Viewer


@strawberry.input(description="A document that several roles are to sign.")
class SignatureRequestCreateInput:
    learner_id: strawberry.ID = attribute("The learner whom it is about.")
    title: str = attribute("What it is, in a line of 200 characters at most.")
    file_id: strawberry.ID = attribute("The document: a file that the viewer has uploaded and not used yet.")
    roles: list[Role] = attribute("Which roles are to sign, each once; admins do not sign.")


@strawberry.type(description="The document to sign, changed.")
class SignatureRequestPayload:
    signature_request: SignatureRequest | None = attribute("The request as it now is.")
    viewer: Viewer | None = attribute("Whoever did it: their documents to sign are counted afresh.")
    errors: list[UserError] = errors_field()


async def _answered(info: Info, write: Awaitable[Any]) -> SignatureRequestPayload:
    async def viewer(_: Any, __: Any) -> Any:
        return info.context.viewer

    return await answer(
        info,
        SignatureRequestPayload,
        write,
        signature_request=lambda key, load: load[SignatureRequestLoader].load(key),
        viewer=viewer,
    )


@strawberry.type
class SignatureRequestMutations:
    @strawberry.mutation(description="Asks several roles to sign a document; those who can are told by e-mail.")
    async def signature_request_create(
        self,
        info: Info,
        input: Annotated[SignatureRequestCreateInput, strawberry.argument(description="The document.")],
    ) -> SignatureRequestPayload:
        write = signature_request_.create(info.context, **plain(input))
        return await _answered(info, write)

    @strawberry.mutation(
        description="Signs the viewer's own slot. documentSha256 is that of the document as it was opened; signing "
        "again changes nothing."
    )
    async def signature_request_sign(
        self,
        info: Info,
        id: Id,
        document_sha256: Annotated[
            str, strawberry.argument(description="SHA-256 of the bytes that were opened and read, in hexadecimal.")
        ],
        password: Annotated[str, strawberry.argument(description="The viewer's own password.")],
    ) -> SignatureRequestPayload:
        write = signature_request_.sign(info.context, id=id, document_sha256=document_sha256, password=password)
        return await _answered(info, write)

    @strawberry.mutation(description="Withdraws a request that still waits; the signatures given so far are kept.")
    async def signature_request_cancel(self, info: Info, id: Id) -> SignatureRequestPayload:
        write = signature_request_.cancel(info.context, id=id)
        return await _answered(info, write)

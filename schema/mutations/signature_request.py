"""Mutations of documents to sign: ask, sign, cancel."""

import strawberry

from loaders.signature_request import SignatureRequestLoader
from resolvers import signature_request as signature_requests
from schema.enums import Role
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required, signed_in
from schema.types.signature_request import SignatureRequest
from schema.types.viewer import Viewer


@strawberry.input(description="A document that several roles are to sign.")
class SignatureRequestCreateInput:
    learner_id: strawberry.ID = attribute("The learner whom it is about.")
    title: str = attribute("What it is, in a line of 200 characters at most.")
    file_id: strawberry.ID = attribute("The document: a file that the viewer has uploaded and not used yet.")
    roles: list[Role] = attribute("Which roles are to sign, each once; admins do not sign.")


@payload("The document to sign, changed.")
class SignatureRequestPayload:
    signature_request: SignatureRequest | None = changed(SignatureRequestLoader, "The request as it now is.")
    viewer: Viewer | None = signed_in("The viewer, whose documents to sign are counted afresh.")


@strawberry.type
class SignatureRequestMutations:
    signature_request_create = mutation(
        SignatureRequestPayload,
        signature_requests.create,
        "Asks several roles to sign a document; the people who can are notified by e-mail.",
        input=required(SignatureRequestCreateInput, "The document."),
    )
    signature_request_sign = mutation(
        SignatureRequestPayload,
        signature_requests.sign,
        "Signs the viewer's own slot. documentSha256 is that of the document as it was opened; signing again changes "
        "nothing.",
        id=Id,
        document_sha256=required(str, "SHA-256 of the bytes that were opened and read, in hexadecimal."),
        password=required(str, "The viewer's own password."),
    )
    signature_request_cancel = mutation(
        SignatureRequestPayload,
        signature_requests.cancel,
        "Withdraws a request that is still pending; the signatures given so far are kept.",
        id=Id,
    )

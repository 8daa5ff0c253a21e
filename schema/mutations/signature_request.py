"""Mutations of documents to sign: create a request, sign, cancel."""

import strawberry

from loaders.signature_request import SignatureRequestLoader
from resolvers import signature_request as signature_requests
from schema.enums import Role
from schema.field_builders import Id, attribute
from schema.payload import changed, mutation, payload, required, signed_in
from schema.types.signature_request import SignatureRequest
from schema.types.viewer import Viewer


@strawberry.input(description="A document that people in several roles should sign.")
class SignatureRequestCreateInput:
    learner_id: strawberry.ID = attribute("The learner whom the document is about.")
    title: str = attribute("A short title: one line, up to 200 characters.")
    file_id: strawberry.ID = attribute("The document: a file that the viewer has uploaded and not used yet.")
    roles: list[Role] = attribute("The roles that must sign, each once; never an admin role.")


@payload("The result of a change of a document to sign.")
class SignatureRequestPayload:
    signature_request: SignatureRequest | None = changed(SignatureRequestLoader, "The request after the change.")
    viewer: Viewer | None = signed_in("The viewer, with the new count of documents that await their signature.")


@strawberry.type
class SignatureRequestMutations:
    signature_request_create = mutation(
        SignatureRequestPayload,
        signature_requests.create,
        "Requests signatures on a document. The people who can sign it get an e-mail.",
        input=required(SignatureRequestCreateInput, "The document."),
    )
    signature_request_sign = mutation(
        SignatureRequestPayload,
        signature_requests.sign,
        "Signs a document in the slot of the viewer's role. Signing it again changes nothing.",
        id=Id,
        document_sha256=required(str, "The SHA-256 of the document that the viewer opened, in hexadecimal."),
        password=required(str, "The viewer's own password; without one, a code of `signingCodeRequest`."),
    )
    signature_request_cancel = mutation(
        SignatureRequestPayload,
        signature_requests.cancel,
        "Cancels a request that is still pending. The signatures given so far are kept.",
        id=Id,
    )

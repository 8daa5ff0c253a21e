"""Mutations of documents to sign: create a request, sign, cancel."""

import strawberry

from loaders.signature_request import SignatureRequestLoader
from resolvers import guest_invitation
from resolvers import signature_request as signature_requests
from schema.enums import Role
from schema.field_builders import Id, attribute
from schema.payload import changed, changed_all, mutation, payload, required
from schema.types.signature_request import SignatureRequest


@strawberry.input(description="A document that people in several roles should sign.")
class SignatureRequestCreateInput:
    learner_id: strawberry.ID = attribute("The learner whom the document is about.")
    title: str = attribute("A short title: one line, up to 200 characters.")
    file_id: strawberry.ID = attribute("The document: a file that the viewer has uploaded and not used yet.")
    roles: list[Role] = attribute("The roles that must sign, each once; never an admin role.")


@payload("The result of a change of a document to sign.")
class SignatureRequestPayload:
    signature_request: SignatureRequest | None = changed(SignatureRequestLoader, "The request after the change.")


@strawberry.input(description="A document that the viewer has opened and signs with others.")
class DocumentToSignInput:
    id: strawberry.ID = attribute("The request for signatures on the document.")
    document_sha256: str = attribute("The SHA-256 of the document that the viewer opened, in hexadecimal.")


@payload(
    "The result of signing several documents.",
    errors="Why documents were not signed: each error names the place of its document in the list.",
)
class SignatureRequestsPayload:
    signature_requests: list[SignatureRequest] = changed_all(
        SignatureRequestLoader, "The documents that the viewer has signed now, in the order of the list.", of="signed"
    )


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
    signature_request_sign_many = mutation(
        SignatureRequestsPayload,
        signature_requests.sign_many,
        "Signs several documents in the slots of the viewer's role, with one password. A document that cannot be "
        "signed, such as one that has changed since it was opened, is refused alone: `errors` says why, and the others "
        "are signed.",
        documents=required(list[DocumentToSignInput], "The documents, up to 50, each with its digest."),
        password=required(str, "The viewer's own password; without one, a code of `signingCodeRequest`."),
    )
    guest_signature_invite = mutation(
        SignatureRequestPayload,
        guest_invitation.invite,
        "Sends somebody without an account a link to sign one open slot of one document. The link is for this document "
        "as it is and works for 14 days, until it is used or a newer one is sent for the slot.",
        request_id=required(strawberry.ID, "The request for signatures on the document."),
        role=required(Role, "The role of the open slot: one of the employer's."),
        name=required(str, "The person's name, for the e-mail: one line, up to 200 characters."),
        email=required(str, "The person's address, which no account at the provider has."),
    )
    signature_request_cancel = mutation(
        SignatureRequestPayload,
        signature_requests.cancel,
        "Cancels a request that is still pending. The signatures given so far are withdrawn: they stay, with their "
        "words, the time and the reason.",
        id=Id,
    )

"""Signature requests with their slots."""

from typing import Any

from db.models.learner import Learner
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.user import User
from domain.enums import Role, SignatureRequestStatus
from tests.support.factories.base import SHA256, keys_of
from tests.support.factories.file import FileFactory


class SignatureRequestFactory(FileFactory):
    async def signature_request(
        self,
        learner: Learner,
        requested_by: User,
        open_for: tuple[Role, ...],
        signed_by: dict[Role, User] | None = None,
        **columns: Any,
    ) -> SignatureRequest:
        """Adds a request for a document, with an open slot for some roles and a signed slot for others."""
        values = {
            "title": "Document",
            "status": SignatureRequestStatus.PENDING,
            "document_sha256": SHA256,
            "requested_by_id": requested_by.id,
            "requested_at": self.now,
            **columns,
        }
        if "file_id" not in values:
            values["file_id"] = (await self.file(requested_by, learner)).id
        request = await self.add(SignatureRequest(provider_id=learner.provider_id, learner_id=learner.id, **values))
        keys = {**keys_of(request), "request_id": request.id}
        for role in open_for:
            await self.add(SignatureSlot(**keys, role=role))
        for role, user in (signed_by or {}).items():
            await self.add(SignatureSlot(**keys, role=role, signed_by_id=user.id, signed_at=self.now))
        return request

"""Progress reviews with their answers and documents."""

from typing import Any

from db.models.review import Review, ReviewAnswer, ReviewDocument
from db.models.session import Session, SessionFile
from db.models.signature_request import SignatureRequest
from db.models.user import User
from domain.enums import Role
from tests.support.factories.base import RowFactory, keys_of


class ReviewFactory(RowFactory):
    async def review(self, session: Session, number: int, answers: dict[Role, User], **columns: Any) -> Review:
        """Adds a draft with an answer of each of these roles."""
        values = {"covers_from": self.today, "updated_at": self.now, **columns}
        review = await self.add(Review(**keys_of(session), session_id=session.id, number=number, **values))
        for role, user in answers.items():
            words = {"progress_since_last": "Much", "concerns": "None", "changes_to_plan": "None", "next_steps": "More"}
            await self.add(
                ReviewAnswer(
                    **keys_of(review), review_id=review.id, role=role, answered_by_id=user.id, answered_at=self.now,
                    **words,
                )
            )  # fmt: skip
        return review

    async def review_document(self, review: Review, request: SignatureRequest, **columns: Any) -> ReviewDocument:
        """Makes a signature request the document of a review, and its file one of the session."""
        await self.add(SessionFile(**keys_of(review), session_id=review.session_id, file_id=request.file_id))
        return await self.add(ReviewDocument(**keys_of(review), review_id=review.id, request_id=request.id, **columns))

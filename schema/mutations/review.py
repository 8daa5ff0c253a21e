"""Mutations of progress reviews: start, answer, issue, sign, reopen."""

import strawberry

from loaders.review import ReviewLoader
from resolvers.review import draft, issue
from schema.field_builders import Id
from schema.payload import changed, mutation, payload, required
from schema.review_enums import EmployerAttendance
from schema.types.review import Review


@strawberry.input(description="What the viewer's role says in a progress review; omitted fields are not changed.")
class ReviewAnswerInput:
    progress_since_last: str | None = strawberry.field(
        default=strawberry.UNSET, description="What went well since the last review; null removes it."
    )
    concerns: str | None = strawberry.field(default=strawberry.UNSET, description="What is a worry; null removes it.")
    changes_to_plan: str | None = strawberry.field(
        default=strawberry.UNSET, description="What should change in the plan; null removes it."
    )
    next_steps: str | None = strawberry.field(default=strawberry.UNSET, description="What comes next; null removes it.")
    employer_attendance: EmployerAttendance | None = strawberry.field(
        default=strawberry.UNSET,
        description="By the assessor only: whether somebody of the employer took part; null if it is not known.",
    )


@payload("The result of a change of a progress review.")
class ReviewPayload:
    review: Review | None = changed(ReviewLoader, "The review after the change.")


@strawberry.type
class ReviewMutations:
    review_start = mutation(
        ReviewPayload,
        draft.start,
        "Starts the progress review of a formal review session, before or after the session. Starting it again changes "
        "nothing.",
        session_id=required(strawberry.ID, "The formal review session."),
    )
    review_answer = mutation(
        ReviewPayload,
        draft.answer,
        "Writes what the viewer's role says, until the review is issued. One person answers in one role.",
        id=Id,
        input=required(ReviewAnswerInput, "What the role says."),
    )
    review_issue = mutation(
        ReviewPayload,
        issue.issue,
        "Freezes figures and texts, makes the document, and requests signatures. The session has to be attended, and "
        "the assessor's answer written.",
        id=Id,
    )
    review_sign = mutation(
        ReviewPayload,
        issue.sign,
        "Signs the document of a review in the slot of the viewer's role, with today's date. Signing it again changes "
        "nothing.",
        id=Id,
        document_sha256=required(str, "The SHA-256 of the document that the viewer opened, in hexadecimal."),
        password=required(str, "The viewer's own password; without one, a code of `signingCodeRequest`."),
    )
    review_reopen = mutation(
        ReviewPayload,
        issue.reopen,
        "Makes an issued review a draft again. Its signatures are withdrawn and stay readable.",
        id=Id,
        reason=required(str, "Why it is reopened."),
    )

"""The document of an issued progress review as a PDF: figures, actions, and what each role says."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.enums import ActionStatus, EmployerAttendance, Role
from loaders.review_figures import ReviewFiguresRow
from resolvers.core.labels import ROLE
from resolvers.exports import formats, pdf
from resolvers.exports.pdf import Measures

ATTENDANCE = {
    EmployerAttendance.ATTENDED: "Took part",
    EmployerAttendance.CONTRIBUTED: "Contributed beforehand or afterwards",
    EmployerAttendance.INVITED: "Was invited and did not take part",
    None: "Not recorded",
}
_ACTION = {
    ActionStatus.OUTSTANDING: formats.mark("Outstanding", "red", "empty"),
    ActionStatus.IN_PROGRESS: formats.mark("In progress", "orange", "half"),
    ActionStatus.COMPLETE: formats.mark("Complete", "green", "full"),
}


@dataclass(frozen=True, slots=True)
class ReviewAction:
    """An action as it stood when the review was issued."""

    title: str
    target: dt.date
    status: ActionStatus


@dataclass(frozen=True, slots=True)
class ReviewWords:
    """What one role has written; None where a heading has no text."""

    role: Role
    name: str
    progress_since_last: str | None
    concerns: str | None
    changes_to_plan: str | None
    next_steps: str | None


@dataclass(frozen=True, slots=True)
class ProgressReview:
    """The data of the PDF. `aims` are the titles of the learner's aims that the assessor sees."""

    number: int
    provider: str
    learner: str
    employer: str | None
    assessor: str
    aims: Sequence[str]
    held_on: dt.date
    covers_from: dt.date
    attendance: EmployerAttendance | None
    figures: ReviewFiguresRow
    previous_actions: Sequence[ReviewAction]
    actions: Sequence[ReviewAction]
    answers: Sequence[ReviewWords]
    made_at: dt.datetime


async def progress_review(data: ProgressReview) -> bytes:
    """Returns the PDF."""
    return await pdf.render("progress_review.typ", _template_data(data), data.made_at)


def _template_data(data: ProgressReview) -> dict[str, Any]:
    return {
        "title": f"Progress review {data.number}",
        "provider": data.provider,
        "learner": data.learner,
        "qualification": "; ".join(data.aims),
        "reference": "",
        "made": formats.moment(data.made_at),
        "facts": _facts(data),
        "bars": Measures.of(data.figures.progress).bars(),
        "hours": _hours(data),
        "previous": [_action(action) for action in data.previous_actions],
        "actions": [_action(action) for action in data.actions],
        "answers": [_words(words) for words in data.answers],
        "closing": (
            f"The review was held on {formats.day(data.held_on)}. It is signed electronically, each signature with the "
            f"day on which it was given. {data.provider} keeps the signatures with this document."
        ),
    }


def _facts(data: ProgressReview) -> list[tuple[str, Any]]:
    return [
        ("Held on", formats.day(data.held_on)),
        ("Covers the time from", formats.day(data.covers_from)),
        ("Progress", formats.TRAFFIC_LIGHT[data.figures.traffic_light]),
        ("Actions to do", str(data.figures.outstanding_action_count)),
        ("Assessor", data.assessor),
        ("Employer took part", ATTENDANCE[data.attendance]),
        ("Employer", data.employer or "None"),
    ]


def _hours(data: ProgressReview) -> list[tuple[str, str]]:
    time = data.figures.off_the_job
    return [
        ("Required in all", formats.hours(time.required_minutes)),
        ("Expected by now", formats.hours(time.expected_minutes)),
        ("Counted so far", formats.hours(time.actual_minutes)),
        ("Of these approved", formats.hours(time.approved_minutes)),
    ]


def _action(action: ReviewAction) -> dict[str, Any]:
    return {"title": action.title, "target": formats.short_day(action.target), "mark": _ACTION[action.status]}


def _words(words: ReviewWords) -> dict[str, Any]:
    parts = (
        ("Progress since the last review", words.progress_since_last),
        ("Concerns", words.concerns),
        ("Changes to the plan", words.changes_to_plan),
        ("Next steps", words.next_steps),
    )
    return {
        "role": ROLE[words.role],
        "name": words.name,
        "parts": [(label, text.split("\n")) for label, text in parts if text],
    }

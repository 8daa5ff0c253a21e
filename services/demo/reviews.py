"""Adds progress reviews in every state: those whose record is signed or waits, and drafts of what comes next."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from db.models.action import Action
from db.models.review import Review, ReviewAnswer, ReviewDocument
from db.models.session import Session
from db.models.signature_request import SignatureRequest, SignatureSlot
from domain import clock
from domain.enums import (
    ActionStatus,
    EmployerAttendance,
    Role,
    SessionStatus,
    SessionType,
    SignatureRequestStatus,
    TrafficLight,
)
from services.demo import texts
from services.demo.learning_plan import off_the_job_minutes, required_minutes
from services.demo.portfolio import AimPlan, Portfolio


def add_reviews(portfolio: Portfolio, documents: Mapping[int, dict[str, Any]]) -> None:
    """Adds the review of each formal review session with a document, and a draft of the next planned one.

    `documents`: the signature request of each session, by the session's key.
    """
    earlier: dict[str, Any] | None = None
    sessions = [row for row in portfolio.rows.of(Session) if row["learner_id"] == portfolio.learner["id"]]
    reviews = [row for row in sessions if row["type"] is SessionType.FORMAL_REVIEW]
    for number, session in enumerate(sorted(reviews, key=lambda row: row["starts_at"]), 1):
        request = documents.get(session["id"])
        if request is None and session["status"] is not SessionStatus.PLANNED:
            continue
        review = _add_review(portfolio, number, session, earlier, request)
        earlier = session
        if request is None:
            # One draft: there is no need to prepare the review after the next.
            _replace_first_draft(portfolio, review)
            return


def _add_review(
    portfolio: Portfolio, number: int, session: dict[str, Any], earlier: dict[str, Any] | None,
    request: dict[str, Any] | None,
) -> dict[str, Any]:  # fmt: skip
    """Adds an issued review with its document; without a document, a draft in which the assessor has begun."""
    rows, owner = portfolio.rows, portfolio.owner
    begun = clock.london_time(portfolio.today - dt.timedelta(days=2), 16)
    written = session["completed_at"] if request else begun
    covers_from = clock.day_of(earlier["starts_at"]) + dt.timedelta(days=1) if earlier else portfolio.first_day
    review = rows.add(
        Review, session_id=session["id"], number=number, previous_session_id=earlier and earlier["id"],
        covers_from=covers_from, employer_attendance=_attendance(portfolio, number) if request else None,
        figures=_figures(portfolio, clock.day_of(session["starts_at"])) if request else None,
        started_at=begun if request is None else session["starts_at"],
        issued_at=request and request["requested_at"], updated_at=request["requested_at"] if request else written,
        **owner,
    )  # fmt: skip
    portfolio.log(written, portfolio.assessor, Role.ASSESSOR, "reviewStart", "Review", review["id"])
    authors = {Role.ASSESSOR: portfolio.assessor}
    if request:
        authors |= {Role.LEARNER: portfolio.learner["user_id"]}
        authors |= {Role.EMPLOYER_MANAGER: portfolio.managers[0]} if portfolio.managers else {}
    for role, author in authors.items():
        words = texts.REVIEW_ANSWERS[role][number % len(texts.REVIEW_ANSWERS[role])]
        rows.add(
            ReviewAnswer, review_id=review["id"], role=role, answered_by_id=author, answered_at=written,
            **dict(zip(texts.REVIEW_HEADINGS, words, strict=True)), **owner,
        )  # fmt: skip
    if request:
        rows.add(ReviewDocument, request_id=request["id"], review_id=review["id"], **owner)
    return review


def _attendance(portfolio: Portfolio, number: int) -> EmployerAttendance:
    if not portfolio.managers:
        return EmployerAttendance.INVITED
    return EmployerAttendance.CONTRIBUTED if number % 3 == 0 else EmployerAttendance.ATTENDED


def _replace_first_draft(portfolio: Portfolio, review: dict[str, Any]) -> None:
    """Makes a cancelled document of the learner the earlier document of the draft, as if it had been reopened."""
    for request in portfolio.rows.of(SignatureRequest):
        if request["learner_id"] == portfolio.learner["id"] and request["status"] is SignatureRequestStatus.CANCELLED:
            at = request["requested_at"] + dt.timedelta(days=1)
            portfolio.rows.add(
                ReviewDocument, request_id=request["id"], review_id=review["id"], replaced_at=at, **portfolio.owner
            )
            portfolio.log(at, portfolio.assessor, Role.ASSESSOR, "reviewReopen", "Review", review["id"])
            for slot in portfolio.rows.of(SignatureSlot):
                if slot["request_id"] == request["id"] and slot["signed_at"] is not None:
                    slot |= {"withdrawn_at": at, "withdrawn_reason": texts.REOPENED}


def _figures(portfolio: Portfolio, day: dt.date) -> dict[str, Any]:
    """Returns figures of that day, as `loaders/review_figures.py` stores them: by the share of time that had passed."""
    total = sum(aim.qualification.criterion_count for aim in portfolio.aims)
    shares = [(aim, _share(aim, day, portfolio.today)) for aim in portfolio.aims]
    mapped = sum(int(aim.qualification.criterion_count * aim.mapped * share) for aim, share in shares)
    signed_off = sum(
        int(aim.qualification.criterion_count * aim.mapped * aim.signed_off * share) for aim, share in shares
    )
    last = max(aim.planned_end for aim in portfolio.aims)
    days = max((last - portfolio.first_day).days + 1, 1)
    passed = min(max((day - portfolio.first_day).days + 1, 0), days)
    required, logged = required_minutes(portfolio), off_the_job_minutes(portfolio, day)
    open_then = [
        row
        for row in portfolio.rows.of(Action)
        if row["learner_id"] == portfolio.learner["id"]
        and clock.day_of(row["set_at"]) <= day
        and (row["status"] is not ActionStatus.COMPLETE or clock.day_of(row["completed_at"]) > day)
    ]
    return {
        "progress": {
            "criteria_total": total, "criteria_mapped": mapped, "criteria_signed_off": signed_off,
            "duration_tenths": passed * 1000 // days, "past_planned_end": False, "days_on_break": 0,
            "units_to_choose": 0,
        },
        "traffic_light": _light(mapped / total - passed / days).value,
        "off_the_job": {
            "required_minutes": required, "expected_minutes": required * passed // days, "actual_minutes": logged,
            "logged_minutes": logged, "approved_minutes": 0, "planned_minutes": None, "prior_learning_minutes": 0,
        },
        "excluded": [], "last_learning_on": None, "months_without_learning": [], "policy": None,
        "outstanding_action_count": len(open_then),
    }  # fmt: skip


def _share(aim: AimPlan, day: dt.date, today: dt.date) -> float:
    """Returns how much of what the aim has reached by today it had reached by that day."""
    until = min(aim.actual_end or today, today)
    return min(max((day - aim.start).days / max((until - aim.start).days, 1), 0.0), 1.0)


def _light(difference: float) -> TrafficLight:
    if difference <= -0.1:
        return TrafficLight.OFF_TRACK
    return TrafficLight.AHEAD if difference >= 0.1 else TrafficLight.ON_TRACK

"""Tasks: documents, reviews and units to sign, in the viewer's role."""

from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from auth import policy, scope
from auth.scope import VIEWER_USER
from auth.viewer import Viewer
from db.models.aim import Aim
from db.models.aim_unit import AimUnit
from db.models.criterion_progress import CriterionProgress
from db.models.qualification import QualificationUnit
from db.models.review import Review, ReviewDocument
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.unit_signature import UnitSignature
from domain.enums import Role, SignatureRequestStatus, TaskKind
from loaders.tasks.source import (
    columns,
    not_own,
    of_running_aim,
    of_running_programme,
    of_visible_learner,
    source,
    unit_subject,
)


def _signs_units(viewer: Viewer) -> bool:
    return viewer.role in viewer.rules.unit_signatures


@source(1, TaskKind.SIGN_DOCUMENT, "SignatureRequest", *policy.MUTATIONS["signatureRequestSign"])
def _documents(role: Role) -> Select:
    """Open slots of documents that are no review's."""
    # unscoped: whether a document is that of a review
    of_review = exists().where(ReviewDocument.request_id == SignatureRequest.id)
    return _slots(role, SignatureRequest, SignatureRequest.title).where(~of_review)


@source(13, TaskKind.SIGN_REVIEW, "Review", *policy.MUTATIONS["reviewSign"])
def _reviews(role: Role) -> Select:
    """Open slots of the current documents of reviews, which wait as reviews only."""
    return (
        _slots(role, Review, Review.number)
        .join(ReviewDocument, ReviewDocument.request_id == SignatureRequest.id)
        .join(Review, Review.id == ReviewDocument.review_id)
        .where(ReviewDocument.replaced_at.is_(None))
    )


def _slots(role: Role, subject: Any, name: Any) -> Select:
    """Open slots of the role, about a visible subject. One person fills one slot, whatever roles they hold."""
    other = aliased(SignatureSlot)
    # unscoped: a slot of the same document
    signed = exists().where(other.request_id == SignatureSlot.request_id, other.signed_by_id == VIEWER_USER)
    task = columns(subject.id, SignatureRequest.learner_id, name, since_at=SignatureRequest.requested_at)
    return (
        select(*task)
        .select_from(SignatureSlot)
        .join(SignatureRequest, SignatureRequest.id == SignatureSlot.request_id)
        .where(
            of_visible_learner(role, SignatureSlot.learner_id),
            scope.sees(role, subject),
            scope.of_provider(SignatureSlot),
            SignatureSlot.role == role,
            SignatureSlot.signed_at.is_(None),
            SignatureRequest.status == SignatureRequestStatus.PENDING,
            ~signed,
            of_running_programme(role, SignatureSlot.learner_id),
            *not_own(role, SignatureSlot.learner_id),
        )
    )


@source(2, TaskKind.SIGN_UNIT, "Unit", *policy.MUTATIONS["unitSign"], applies=_signs_units)
def _units(role: Role) -> Select:
    """Units that count, whose criteria are all signed off, and that lack the role's required signature."""
    # unscoped: limited to visible aims that run
    complete = (
        select(
            CriterionProgress.aim_id,
            CriterionProgress.unit_id,
            func.count().label("signed_off"),
            func.max(CriterionProgress.signed_off_at).label("at"),
        )
        .where(
            CriterionProgress.signed_off,
            of_running_aim(role, CriterionProgress.aim_id),
            scope.of_provider(CriterionProgress),
        )
        .group_by(CriterionProgress.aim_id, CriterionProgress.unit_id)
        .subquery()
    )
    # unscoped: a signature on a unit of a visible aim, which the role gave, or this person, or which was the last
    signed = exists().where(
        UnitSignature.aim_id == complete.c.aim_id,
        UnitSignature.unit_id == complete.c.unit_id,
        UnitSignature.withdrawn_at.is_(None),
        or_(UnitSignature.role == role, UnitSignature.signed_by_id == VIEWER_USER, UnitSignature.completes_unit),
    )
    # unscoped: a unit that is chosen for a visible aim
    chosen = exists().where(AimUnit.aim_id == complete.c.aim_id, AimUnit.unit_id == complete.c.unit_id)
    return (
        select(
            *columns(
                unit_subject(complete.c.aim_id, complete.c.unit_id),
                Aim.learner_id,
                QualificationUnit.title,
                since_at=complete.c.at,
            )
        )
        .select_from(complete)
        .join(Aim, Aim.id == complete.c.aim_id)
        .join(
            QualificationUnit,
            and_(
                QualificationUnit.id == complete.c.unit_id,
                QualificationUnit.qualification_id == Aim.qualification_id,
                QualificationUnit.criterion_count == complete.c.signed_off,
            ),
        )
        .where(
            scope.sees_aim(role),
            or_(QualificationUnit.mandatory, chosen),
            ~signed,
            *not_own(role, Aim.learner_id),
        )
    )

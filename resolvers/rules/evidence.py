"""Rules of evidence: who may change it in which status."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auth.viewer import Viewer
from db.models.evidence import Evidence
from domain.enums import EvidenceStatus, Role, UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from loaders.core.registry import Loaders
from loaders.evidence import EvidenceRow
from loaders.evidence_detail import EvidenceMappingsLoader, EvidenceSignaturesLoader
from loaders.user_state import UserStateLoader
from resolvers.core.rules import RecordRules
from resolvers.core.signatures import Signature, cannot_sign
from resolvers.rules.aim import AIM


@dataclass(frozen=True, slots=True)
class EvidenceState:
    """What the rules know of a piece of evidence."""

    learner_key: int
    status: EvidenceStatus
    submitted_by_key: int

    @classmethod
    def of(cls, evidence: Evidence) -> "EvidenceState":
        """Returns that of the entity."""
        return cls(evidence.learner_id, evidence.status, evidence.submitted_by_id)

    @classmethod
    def of_row(cls, row: EvidenceRow) -> "EvidenceState":
        """Returns that of the light row."""
        return cls(row.learner_key, row.status, row.submitted_by.key)


EVIDENCE = RecordRules("Evidence", state=EvidenceState.of_row)
AIM.by_role("evidenceSubmit")


@EVIDENCE.rule("evidenceAssess", "evidenceUnmap")
def _assess(viewer: Viewer, evidence: EvidenceState) -> Iterator[UserError]:
    if evidence.status is EvidenceStatus.WITHDRAWN:
        message = say("EVIDENCE_WITHDRAWN")
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@EVIDENCE.rule("evidenceReturn")
def _return(viewer: Viewer, evidence: EvidenceState) -> Iterator[UserError]:
    yield from _assess(viewer, evidence)
    if evidence.status is EvidenceStatus.RETURNED:
        message = say("EVIDENCE_RETURNED")
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@EVIDENCE.rule("evidenceUpdate")
def _update(viewer: Viewer, evidence: EvidenceState, *, signed_off: bool) -> Iterator[UserError]:
    if not _may_correct(viewer, evidence):
        yield _not_theirs("EVIDENCE_CHANGE_BY_OTHERS")
        return
    yield from _assess(viewer, evidence)
    if signed_off:
        message = say("EVIDENCE_SIGNED_OFF")
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@EVIDENCE.rule("evidenceWithdraw")
def _withdraw(viewer: Viewer, evidence: EvidenceState, *, signed_off: bool) -> Iterator[UserError]:
    if not _may_correct(viewer, evidence):
        yield _not_theirs("EVIDENCE_WITHDRAWAL_BY_OTHERS")
    elif signed_off and viewer.role is not Role.ASSESSOR:
        message = say("EVIDENCE_SIGNED_OFF_ASSESSOR_WITHDRAWS")
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@EVIDENCE.rule("evidenceResubmit")
def _resubmit(viewer: Viewer, evidence: EvidenceState, *, submitter_archived: bool) -> Iterator[UserError]:
    # Learner and assessor act for a submitter who can no longer sign in.
    stands_in = submitter_archived and viewer.role in (Role.LEARNER, Role.ASSESSOR)
    if evidence.submitted_by_key != viewer.user_key and not stands_in:
        message = say("EVIDENCE_OF_OTHER_SUBMITTER")
        yield user_error(UserErrorCode.NOT_ALLOWED, message, "id")
    elif evidence.status is not EvidenceStatus.RETURNED:
        message = say("EVIDENCE_NOT_RETURNED")
        yield user_error(UserErrorCode.CONFLICT, message, "id")


@EVIDENCE.rule("evidenceSign")
def _sign(viewer: Viewer, evidence: EvidenceState, *, signatures: Sequence[Signature]) -> Iterator[UserError]:
    yield from _assess(viewer, evidence)
    yield from cannot_sign(viewer, signatures, "id")


def _may_correct(viewer: Viewer, evidence: EvidenceState) -> bool:
    return viewer.role is Role.ASSESSOR or evidence.submitted_by_key == viewer.user_key


def _not_theirs(reason: str) -> UserError:
    return user_error(UserErrorCode.NOT_ALLOWED, say(reason), "id")


@EVIDENCE.fact
async def signed_off(loaders: Loaders, rows: Sequence[EvidenceRow]) -> list[bool]:
    """Whether a criterion is signed off with the evidence."""
    mappings = await loaders[EvidenceMappingsLoader].load_many([row.key for row in rows])
    return [any(mapping.signed_off for mapping in each) for each in mappings]


@EVIDENCE.fact
async def submitter_archived(loaders: Loaders, rows: Sequence[EvidenceRow]) -> list[bool]:
    """Whether the account of its submitter is archived."""
    users = await loaders[UserStateLoader].load_many([row.submitted_by.key for row in rows])
    return [user is not None and user.archived_at is not None for user in users]


@EVIDENCE.fact
async def signatures(loaders: Loaders, rows: Sequence[EvidenceRow]) -> list[list[Signature]]:
    """The signatures on the current version."""
    found = await loaders[EvidenceSignaturesLoader].load_many([row.key for row in rows])
    return [
        [Signature(each.role, each.signed_by.key, each.signed_by.name) for each in of_one if each.current]
        for of_one in found
    ]

"""Rules of samples and their actions: looked at by an IQA who did not assess the unit, answered by the assessor."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from auth.viewer import Viewer
from domain.enums import Role, SampleStatus, UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from loaders.core.registry import Loaders
from loaders.evidence import EvidenceOfUnitLoader
from loaders.sample import SampleActionRow, SampleLoader, SampleRow
from loaders.unit import UnitSignaturesLoader
from resolvers.core.rules import RecordRules
from resolvers.rules.viewer import VIEWER


@dataclass(frozen=True, slots=True)
class SampleState:
    """What the rules know of a sample. `concluded`: the IQA has decided."""

    learner_key: int
    status: SampleStatus
    concluded: bool

    @classmethod
    def of_row(cls, row: SampleRow) -> "SampleState":
        """Returns that of the light row."""
        return cls(row.learner_key, row.status, row.concluded_at is not None)


@dataclass(frozen=True, slots=True)
class SampleActionState:
    """What the rules know of an action of a sample."""

    learner_key: int
    closed: bool

    @classmethod
    def of_row(cls, row: SampleActionRow) -> "SampleActionState":
        """Returns that of the light row."""
        return cls(row.learner_key, row.closed_at is not None)


SAMPLE = RecordRules("Sample", state=SampleState.of_row)
SAMPLE_ACTION = RecordRules("SampleAction", state=SampleActionState.of_row)
VIEWER.by_role("samplingPolicySave")


@SAMPLE.rule("sampleBegin")
def _begin(
    viewer: Viewer, sample: SampleState, *, assessors: Collection[int | None], has_evidence: bool
) -> Iterator[UserError]:
    refused = [*_concluded(sample), *_dependent(viewer, assessors)]
    yield from refused
    if not refused and not has_evidence:
        yield user_error(UserErrorCode.INVALID, say("NOTHING_TO_SAMPLE"), "id")


@SAMPLE.rule("sampleConclude")
def _conclude(viewer: Viewer, sample: SampleState, *, assessors: Collection[int | None]) -> Iterator[UserError]:
    refused = [*_concluded(sample), *_dependent(viewer, assessors)]
    yield from refused
    if not refused and sample.status is not SampleStatus.IN_PROGRESS:
        yield user_error(UserErrorCode.CONFLICT, say("SAMPLE_NOT_BEGUN"), "id")


@SAMPLE_ACTION.rule("sampleActionAnswer")
def _answer(viewer: Viewer, action: SampleActionState) -> Iterator[UserError]:
    if action.closed:
        yield user_error(UserErrorCode.CONFLICT, say("SAMPLE_ACTION_CLOSED"), "id")


@SAMPLE_ACTION.rule("sampleActionClose")
def _close(viewer: Viewer, action: SampleActionState, *, assessors: Collection[int | None]) -> Iterator[UserError]:
    if not action.closed:
        yield from _dependent(viewer, assessors)


def _concluded(sample: SampleState) -> Iterator[UserError]:
    if sample.concluded:
        yield user_error(UserErrorCode.CONFLICT, say("SAMPLE_CONCLUDED"), "id")


def _dependent(viewer: Viewer, assessors: Collection[int | None]) -> Iterator[UserError]:
    if viewer.user_key in assessors:
        yield user_error(UserErrorCode.NOT_ALLOWED, say("UNIT_ASSESSED_BY_VIEWER"), "id")


@SAMPLE.fact
async def assessors(loaders: Loaders, rows: Sequence[SampleRow]) -> list[set[int | None]]:
    """Who assesses the aim, or has signed the unit as its assessor, by user key; None where nobody assesses the aim."""
    found = await loaders[UnitSignaturesLoader].load_many([row.unit_of_aim for row in rows])
    return [
        {row.aim_assessor_key}
        | {
            each.signed_by.key
            for each in signatures
            if each.role is Role.ASSESSOR and each.signed_by is not None and each.withdrawn_at is None
        }
        for row, signatures in zip(rows, found, strict=True)
    ]


@SAMPLE.fact
async def has_evidence(loaders: Loaders, rows: Sequence[SampleRow]) -> list[bool]:
    """Whether evidence is mapped in the unit."""
    found = await loaders[EvidenceOfUnitLoader].load_many([row.unit_of_aim for row in rows])
    return [bool(evidence) for evidence in found]


async def _assessors_of_actions(loaders: Loaders, rows: Sequence[SampleActionRow]) -> list[set[int | None]]:
    """The same for the samples of actions."""
    found = await loaders[SampleLoader].load_many([row.sample_key for row in rows])
    return await assessors(loaders, [sample for sample in found if sample is not None])


SAMPLE_ACTION.facts["assessors"] = _assessors_of_actions

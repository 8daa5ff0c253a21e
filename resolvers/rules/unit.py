"""Rules of units: one is signed once all its criteria are signed off."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auth.viewer import Viewer
from domain.enums import CriterionFilter, UserErrorCode
from domain.errors import UserError, not_found, user_error
from domain.sentences import Sentence, say
from loaders.core.registry import Loaders
from loaders.criterion import CriteriaOfUnitLoader
from loaders.unit import UnitRow, UnitSignaturesLoader
from resolvers.core.rules import RecordRules
from resolvers.core.signatures import Signature, cannot_sign

# Bounds the length of an error message.
MAX_NAMED_CRITERIA = 10


@dataclass(frozen=True, slots=True)
class UnitState:
    """What the rules know of a learner's unit. `current`: it belongs to the aim's version of the qualification."""

    learner_key: int
    current: bool
    counts: bool

    @classmethod
    def of_row(cls, row: UnitRow) -> "UnitState":
        """Returns that of the row."""
        return cls(row.aim.learner_key, row.unit.qualification_key == row.aim.qualification_key, row.chosen)


UNIT = RecordRules("Unit", state=UnitState.of_row)


@UNIT.rule("unitSign")
def _sign(
    viewer: Viewer, unit: UnitState, *, signatures: Sequence[Signature], open_criteria: Sequence[str]
) -> Iterator[UserError]:
    if not unit.current:
        yield from not_found("id").errors
        return
    if not unit.counts:
        message = say("UNIT_NOT_CHOSEN")
        yield user_error(UserErrorCode.INVALID, message, "id")
        return
    if (viewer.role, viewer.user_key) in [(each.role, each.signed_by_key) for each in signatures]:
        return
    refused = list(cannot_sign(viewer, signatures, "id"))
    yield from refused
    if open_criteria and not refused:
        yield user_error(UserErrorCode.INVALID, _not_complete(open_criteria), "id")


def _not_complete(codes: Sequence[str]) -> Sentence:
    named, more = ", ".join(codes[:MAX_NAMED_CRITERIA]), len(codes) - MAX_NAMED_CRITERIA
    if more > 0:
        return say("MANY_CRITERIA_NOT_SIGNED_OFF", count=len(codes), criteria=named, more=more)
    return say("CRITERIA_NOT_SIGNED_OFF", count=len(codes), criteria=named)


@UNIT.fact
async def signatures(loaders: Loaders, rows: Sequence[UnitRow]) -> list[list[Signature]]:
    """The signatures that were given and not withdrawn."""
    found = await loaders[UnitSignaturesLoader].load_many([row.key for row in rows])
    return [
        [
            Signature(each.role, each.signed_by.key, each.signed_by.name)
            for each in of_unit
            if each.signed_by is not None and each.withdrawn_at is None
        ]
        for of_unit in found
    ]


@UNIT.fact
async def open_criteria(loaders: Loaders, rows: Sequence[UnitRow]) -> list[list[str]]:
    """The codes of the criteria that are not signed off, in order."""
    criteria = await loaders.get(CriteriaOfUnitLoader, CriterionFilter.ALL).load_many(list(rows))
    return [[each.code for each in of_unit if not each.progress.signed_off] for of_unit in criteria]

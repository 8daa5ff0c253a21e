"""Units of a learner's aim, and their signatures."""

import datetime as dt
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain.confirmation_statements import unit_statement
from loaders.aim import AimRow
from loaders.core.dataloader import map_future
from loaders.core.registry import Loaders
from loaders.criterion import CriteriaOfUnitLoader
from loaders.evidence import EvidenceOfUnitLoader
from loaders.learner import LearnerLoader, LearnerRow
from loaders.sample import SamplesOfUnitLoader
from loaders.unit import UnitRow, UnitSignaturesLoader
from loaders.unit_progress import COUNTED, UnitProgressLoader, UnitSignedOffLoader
from schema.enums import CriterionFilter, Role
from schema.field_builders import Info, argument, attribute, loaded, related, resolved
from schema.relay import Node, node, record
from schema.types.criterion import Criterion
from schema.types.evidence import Evidence
from schema.types.progress import UnitProgress
from schema.types.user import User
from schema.types.viewer_action import ViewerAction, viewer_actions

if TYPE_CHECKING:
    from schema.types.aim import Aim
    from schema.types.sample import Sample


def _confirmation_statement(row: UnitRow, loaders: Loaders) -> Any:
    def statement(learner: LearnerRow) -> str:
        return unit_statement(row.number, row.title, row.aim.title, learner.name)

    return map_future(loaders[LearnerLoader].load(row.aim.learner_key), statement)


def _criteria_loader(info: Info, filter: Any) -> CriteriaOfUnitLoader:
    return info.context.loaders.get(CriteriaOfUnitLoader, filter or CriterionFilter.ALL)


@strawberry.type(
    description="The place for the signature of one role under the confirmation statement of a unit, or a signature "
    "that was withdrawn."
)
class UnitSignature:
    role: Role = attribute("The role that signs here.")
    required: bool = attribute(
        "Whether the unit needs this signature to be signed off; false for a signature that was withdrawn."
    )
    signed_by: User | None = attribute("The user who signed; null until then.")
    signed_at: dt.datetime | None = attribute("When the user signed; null until then.")
    statement: str | None = related(
        "The sentence that was signed, word for word; null until then.",
        lambda row, loaders: row.signed_statement,
        reads=("signed_statement",),
    )
    withdrawn_at: dt.datetime | None = attribute(
        "When the signature was withdrawn, because the evidence of the unit changed; null while it is valid. A "
        "withdrawn signature counts nowhere and stays in the list."
    )
    withdrawn_reason: str | None = attribute("Why it was withdrawn; null while it is valid.")


@node(
    UnitRow,
    "A part of a qualification that has criteria and is signed on its own, together with how far one learner has come "
    "in it. Each learner's units have ids of their own.",
)
class Unit(Node):
    aim: Annotated["Aim", strawberry.lazy("schema.types.aim")] = attribute("The aim that it belongs to.")
    number: str = attribute("Its number in the qualification, such as 7 or 7a.")
    title: str = attribute("Its title.")
    mandatory: bool = attribute("Whether all learners who take the qualification must take the unit.")
    chosen: bool = attribute(
        "Whether the unit counts for this learner: it is mandatory, or one of the optional units chosen for the "
        "learner."
    )
    criteria: list[Criterion] = resolved(
        "Its criteria in order. Together with `Aim.units` they are the progress map (gap analysis).",
        lambda row, info, filter: _criteria_loader(info, filter).load(row),
        batch=lambda rows, info, filter: _criteria_loader(info, filter).load_batch(rows),
        filter=argument(CriterionFilter, "Which criteria are returned."),
        defaults={"filter": CriterionFilter.ALL},
    )
    progress: UnitProgress = related(
        "How many of its criteria are mapped and signed off.",
        lambda row, loaders: loaders[UnitProgressLoader].load(row),
    )
    criteria_complete: bool = related(
        "Whether it has criteria and all of them are signed off: the unit is shown in green.",
        lambda row, loaders: map_future(loaders[UnitProgressLoader].load(row), attrgetter("complete")),
        COUNTED,
    )
    signed_off: bool = related(
        "Whether all its criteria are signed off and all roles that the provider requires have signed it: those "
        "required today, or those that were required when the last of them signed. Withdrawn signatures do not count.",
        lambda row, loaders: loaders[UnitSignedOffLoader].load(row),
        COUNTED,
    )
    confirmation_statement: str = related(
        "The sentence that a signature of the unit confirms, word for word.",
        _confirmation_statement,
        {AimRow: ("title",), LearnerRow: ("name",)},
        reads=("number", "title", "aim"),
    )
    signatures: list[UnitSignature] = loaded(
        "The signatures that the provider requires, given or not, and any others that were given; after them those "
        "that were withdrawn, oldest first.",
        UnitSignaturesLoader,
    )
    evidence: list[Evidence] = loaded(
        "The evidence record sheet: all evidence mapped to a criterion of the unit, oldest first.",
        EvidenceOfUnitLoader,
    )
    samples: list[Annotated["Sample", strawberry.lazy("schema.types.sample")]] = loaded(
        "The samples of the unit by internal quality assurance, the earliest first; empty for learners and employers.",
        SamplesOfUnitLoader,
    )
    viewer_actions: list[ViewerAction] = viewer_actions("Unit")


@strawberry.type
class UnitQueries:
    unit: Unit | None = record("Unit", "The unit of a learner's aim with this id")

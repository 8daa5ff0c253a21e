"""Units of one learner's aim."""

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain.confirmation_statements import unit_statement
from loaders.evidence import EvidenceOfUnitLoader
from loaders.learner import LearnerLoader
from loaders.unit import CriteriaOfUnitLoader, UnitProgressLoader, UnitRow, UnitSignaturesLoader
from schema.enums import CriterionFilter, Role
from schema.field_builders import Info, attribute, loaded, related, resolves_batches
from schema.relay import Node, node, record
from schema.types.criterion import Criterion
from schema.types.evidence import Evidence
from schema.types.progress import UnitProgress
from schema.types.user import User

if TYPE_CHECKING:
    from schema.types.aim import Aim


async def _complete(row: UnitRow, load) -> bool:
    return (await load[UnitProgressLoader].load(row)).complete


async def _signed_off(row: UnitRow, load) -> bool:
    # Both at once, so that neither waits for the other's statement.
    progress, signatures = await asyncio.gather(
        load[UnitProgressLoader].load(row), load[UnitSignaturesLoader].load(row.key)
    )
    return progress.complete and all(signature.signed_at for signature in signatures if signature.required)


async def _statement(row: UnitRow, load) -> str:
    learner = await load[LearnerLoader].load(row.aim.learner_key)
    return unit_statement(row.number, row.title, row.aim.title, learner.name)


def _criteria(units: list[UnitRow], info: Info, filter: CriterionFilter | None = CriterionFilter.ALL) -> Any:
    return info.context.loaders.get(CriteriaOfUnitLoader, filter or CriterionFilter.ALL).load_batch(units)


@strawberry.type(description="A role's place under the confirmation statement of a unit.")
class UnitSignature:
    role: Role = attribute("The role.")
    required: bool = attribute("Whether the provider requires it for the unit to be signed off.")
    signed_by: User | None = attribute("Who signed; null until then.")
    signed_at: dt.datetime | None = attribute("When; null until then.")


@node(UnitRow, "A unit of one learner's aim, so that its id and its progress are that learner's alone.")
class Unit(Node):
    aim: Annotated["Aim", strawberry.lazy("schema.types.aim")] = attribute("The aim that it belongs to.")
    number: str = attribute("Its number, as the awarding body gives it; not always a whole number.")
    title: str = attribute("Its title.")
    mandatory: bool = attribute("Whether everyone who takes the qualification takes it.")

    @strawberry.field(description="Its criteria in order: with `units`, the progress map (gap analysis).")
    @resolves_batches(_criteria)
    def criteria(
        root: UnitRow,
        info: Info,
        filter: Annotated[
            CriterionFilter | None, strawberry.argument(description="Which of them.")
        ] = CriterionFilter.ALL,
    ) -> list[Criterion]:
        return info.context.loaders.get(CriteriaOfUnitLoader, filter or CriterionFilter.ALL).load(root)

    progress: UnitProgress = related("Its criteria, counted.", lambda row, load: load[UnitProgressLoader].load(row))
    criteria_complete: bool = related(
        "Whether every criterion is signed off, and there is one: the unit is green [000].", _complete
    )
    signed_off: bool = related(
        "Whether it is complete, and every signature that the provider requires was given and stands.", _signed_off
    )
    confirmation_statement: str = related("What a signature confirms, word for word [000].", _statement)
    signatures: list[UnitSignature] = loaded(
        "The places of the roles that must sign, and of whoever else signed.",
        UnitSignaturesLoader,
    )
    evidence: list[Evidence] = loaded(
        "The evidence record sheet: every piece of evidence mapped to a criterion of it, the oldest first [000].",
        EvidenceOfUnitLoader,
    )


@strawberry.type
class UnitQueries:
    unit: Unit | None = record("Unit", "One learner's unit")

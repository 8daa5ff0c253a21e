"""Criteria of a learner's units."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders.criterion import CriterionRow
from loaders.evidence import EvidenceOfCriterionLoader
from schema.enums import CriterionStatus
from schema.field_builders import attribute, loaded, person
from schema.relay import Node, node

if TYPE_CHECKING:
    from schema.types.evidence import Evidence
    from schema.types.unit import Unit
    from schema.types.user import User


@node(
    CriterionRow,
    "The smallest requirement of a unit, together with how far one learner has come in it. Each learner's criteria "
    "have ids of their own.",
)
class Criterion(Node):
    unit: Annotated["Unit", strawberry.lazy("schema.types.unit")] = attribute("The unit that it belongs to.")
    code: str = attribute("Its code, such as 1.1 or K3; unique within the unit only.")
    description: str = attribute("What the learner has to show, in the words of the awarding body.")
    status: CriterionStatus = attribute("Its status, and so its colour, on the progress map.")
    evidence_count: int = attribute("The number of pieces of evidence mapped to it.")
    evidence: list[Annotated["Evidence", strawberry.lazy("schema.types.evidence")]] = loaded(
        "The evidence mapped to it, oldest first.", EvidenceOfCriterionLoader
    )
    signed_off_by: Annotated["User", strawberry.lazy("schema.types.user")] | None = person(
        "The assessor who signed it off; null until then.", "signed_off_by_key"
    )
    signed_off_at: dt.datetime | None = attribute("When it was signed off; null until then.")

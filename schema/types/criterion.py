"""Criteria of one learner's unit."""

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


@node(CriterionRow, "A criterion of one learner's unit: the awarding body's words, and how far this learner has come.")
class Criterion(Node):
    unit: Annotated["Unit", strawberry.lazy("schema.types.unit")] = attribute("The unit that it belongs to.")
    code: str = attribute("Its code, such as 1.1 or K3; unique within the unit only.")
    description: str = attribute("What has to be shown, in the awarding body's words.")
    status: CriterionStatus = attribute("Its colour on the progress map.")
    evidence_count: int = attribute("How many pieces of evidence are mapped to it.")
    evidence: list[Annotated["Evidence", strawberry.lazy("schema.types.evidence")]] = loaded(
        "The evidence mapped to it, the oldest first.", EvidenceOfCriterionLoader
    )
    signed_off_by: Annotated["User", strawberry.lazy("schema.types.user")] | None = person(
        "The assessor who signed it off; null until then.", "signed_off_by_key"
    )
    signed_off_at: dt.datetime | None = attribute("When it was signed off; null until then.")

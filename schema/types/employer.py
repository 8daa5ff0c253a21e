"""Employers: sites, and the head offices that they belong to."""

from typing import Optional

import strawberry

from db.models.learner import Learner as LearnerModel
from loaders.employer import EMPLOYERS, EmployerLoader, EmployerRow, SitesOfEmployerLoader
from loaders.kpis import KpisOfEmployerLoader
from loaders.learner import LEARNERS
from schema.enums import LearnerOrder
from schema.field_builders import Info, Search, attribute, connection, loaded
from schema.relay import Connection, Node, node, record
from schema.types.kpis import Kpis, parts_asked
from schema.types.learner import Learner, LearnerFilter


@node(EmployerRow, "One employer site. A head office and its sites are Employers of their own, tied by parent.")
class Employer(Node):
    name: str = attribute("The employer's name.")
    parent: Optional["Employer"] = loaded(
        "The head office; null if there is none that the viewer may see.",
        EmployerLoader,
        by="parent_key",
    )
    sites: list["Employer"] = loaded(
        "Its sites that the viewer may see, by name, at most 1,000; empty for a site.",
        SitesOfEmployerLoader,
    )

    learners: Connection[Learner] = connection(
        "Its own learners that the viewer may see; a head office's are not its sites'.",
        LEARNERS,
        owner=LearnerModel.employer_id,
        filter=LearnerFilter,
        order_by=(LearnerOrder, LearnerOrder.NAME_ASC),
    )

    @strawberry.field(description="Over its own learners that the viewer may see; a head office's are not its sites'.")
    def kpis(root: EmployerRow, info: Info) -> Kpis:
        return info.context.loaders[KpisOfEmployerLoader].load((root.key, parts_asked(info)))  # type: ignore[return-value]


@strawberry.type
class EmployerQueries:
    employer: Employer | None = record("Employer", "One employer")
    employers: Connection[Employer] = connection(
        "The employers that the viewer may see, by name.", EMPLOYERS, search=Search
    )

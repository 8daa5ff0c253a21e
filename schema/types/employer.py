"""Employers: sites, and the head offices that they belong to."""

from typing import Optional

import strawberry

from loaders.employer import EMPLOYERS, EmployerLoader, EmployerRow, SitesOfEmployerLoader
from loaders.kpis import KpisOfEmployerLoader
from loaders.learner import LEARNERS
from schema.enums import LearnerOrder
from schema.field_builders import Search, attribute, connection, loaded, resolved
from schema.relay import Connection, Node, node, record
from schema.types.kpis import Kpis, selected_metrics
from schema.types.learner import Learner, LearnerFilter
from schema.types.viewer_action import ViewerAction, viewer_actions


@node(EmployerRow, "An employer of apprentices: a site where learners work, or the head office of several sites.")
class Employer(Node):
    name: str = attribute("The employer's name.")
    parent: Optional["Employer"] = loaded(
        "The head office of the site; null if it has none or the viewer may not see it.",
        EmployerLoader,
        by="parent_key",
    )
    sites: list["Employer"] = loaded(
        "The sites of the head office that the viewer may see, by name, at most 1,000; empty for a site.",
        SitesOfEmployerLoader,
    )
    learners: Connection[Learner] = connection(
        "The learners who work here and whom the viewer may see. A head office does not include the learners of its "
        "sites.",
        LEARNERS,
        owner="employer",
        filter=LearnerFilter,
        order_by=(LearnerOrder, LearnerOrder.NAME_ASC),
    )
    kpis: Kpis = resolved(
        "Key performance indicators over the learners who work here and whom the viewer may see. A head office does "
        "not include the learners of its sites.",
        lambda row, info: info.context.loaders[KpisOfEmployerLoader].load((row.key, selected_metrics(info))),
        reads=("key",),
    )
    viewer_actions: list[ViewerAction] = viewer_actions("Employer")


@strawberry.type
class EmployerQueries:
    employer: Employer | None = record("Employer", "The employer with this id")
    employers: Connection[Employer] = connection(
        "The employers that the viewer may see, by name.", EMPLOYERS, search=Search
    )

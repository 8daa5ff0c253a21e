"""Every list that the graph returns whole is bounded: by a limit of rows, a key of its table, or its subject."""

from typing import Any

import pytest
from sqlalchemy import Enum, UniqueConstraint

from db.models.base import Base
from domain.submodules import import_submodules
from loaders.core.base import ManyLoader

# Why a list without a limit of its own is bounded.
BOUNDED = {
    "ActionsOfReviewedSessionLoader": "the actions of one session",
    "ActionsOfSampleLoader": "an IQA sets up to MAX_ACTIONS with the one conclusion of a sample",
    "AimsOfSessionLoader": "aims of one learner",
    "CalendarLoader": "up to MAX_DAYS of one learner, and the minutes of a day",
    "EvidenceMappingsLoader": "one for each criterion of the aim",
    "EvidenceSignaturesLoader": "one for each role and version; versions are limited",
    "EvidenceOfUnitLoader": "the evidence of the criteria of one unit",
    "FindingsOfSampleLoader": "an IQA gives up to MAX_FINDINGS with the one conclusion of a sample",
    "ManagersOfLearnerLoader": "accounts, which an administrator makes",
    "RolesOfUserLoader": "one for each role",
    "SamplesOfUnitLoader": "a unit has one sample that stands; a new one follows a rejection that two people conclude",
    "SitesOfEmployerLoader": "the statement reads MAX_SITES",
    "SitesOfOverviewLoader": "sites, which an administrator makes",
    "SlotsOfReviewLoader": "one for each role",
    "UnitFunnelLoader": "units of one qualification, which an operator imports",
    "UnitSignaturesLoader": "one for each role; one that was withdrawn stays, and both take a person's signature",
    "UnitsOfAimLoader": "units of one qualification, which an operator imports",
    "UnitsOfEarlierVersionsLoader": "units of the versions that an aim had",
}  # fmt: skip
# The limit of the lists whose loaders do not name the column of the parent.
LIMITED = {
    "AimsOfLearnerLoader": ("aim", "learner_id"),
    "EvidenceOfCriterionLoader": ("evidence_mapping", "criterion_id"),
    "RevisionsLoader": ("time_log_revision", "entry_id"),
}


def loaders_of(kind: type[Any]) -> list[type[Any]]:
    """The loaders of lists that modules of `loaders/` declare."""
    found = []
    for each in kind.__subclasses__():
        found += loaders_of(each)
        if each.__module__.startswith("loaders.") and not each.__subclasses__():
            found.append(each)
    return found


def one_for_each_value(entity: type[Base], column: str) -> bool:
    """Whether a key of the table allows a parent one row for each value of an enum."""
    table = entity.__table__
    keys = [table.primary_key, *(each for each in table.constraints if isinstance(each, UniqueConstraint))]
    for key in keys:
        others = [each for each in key.columns if each.name not in (column, "provider_id")]
        if column in key.columns and len(others) == 1 and isinstance(others[0].type, Enum):
            return True
    return False


def bounded(loader: type[Any]) -> bool:
    if loader.__name__ in BOUNDED:
        return True
    if loader.__name__ in LIMITED:
        table, column = LIMITED[loader.__name__]
        [entity] = [each.class_ for each in Base.registry.mappers if each.local_table.name == table]
        return column in entity.__row_limits__
    entity, column = loader.parent.class_, loader.parent.key
    return column in entity.__row_limits__ or one_for_each_value(entity, column)


import_submodules("loaders")
LOADERS = sorted(loaders_of(ManyLoader), key=lambda loader: loader.__name__)


@pytest.mark.parametrize("loader", LOADERS, ids=lambda loader: loader.__name__)
def test_a_list_without_pages_is_bounded(loader: type[Any]) -> None:
    assert bounded(loader), f"{loader.__name__}: declare `__row_limits__` and check it, or say here what bounds it"

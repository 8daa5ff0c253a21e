"""The statements of the kinds of loader: how they name their keys."""

from sqlalchemy.dialects import postgresql

from db.models.evidence import Evidence
from domain.enums import Role
from loaders.core import base
from loaders.evidence import EvidenceOfActionLoader
from loaders.evidence_detail import EvidenceMappingsLoader


def sql(loader: type[base.RelatedLoader]) -> str:
    statement = base._of_parents(loader, Role.EMPLOYER_OVERVIEW).build()
    return str(statement.compile(dialect=postgresql.asyncpg.dialect()))


def test_rows_are_read_by_the_key_of_the_parent_through_which_they_are_seen() -> None:
    assert EvidenceMappingsLoader.seen_through is Evidence
    assert "evidence.id = ANY(" in sql(EvidenceMappingsLoader)
    assert "evidence_mapping.evidence_id = ANY(" not in sql(EvidenceMappingsLoader)


def test_rows_that_are_seen_by_themselves_are_read_by_the_reference_to_the_parent() -> None:
    assert "evidence.action_id = ANY(" in sql(EvidenceOfActionLoader)

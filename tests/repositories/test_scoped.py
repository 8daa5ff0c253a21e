"""The read for a write locks a row against other writes only."""

import pytest
from sqlalchemy.dialects import postgresql

from db.models.base import Base
from db.models.registry import entities
from domain.enums import Role
from repositories.scoped import one_for_write


@pytest.mark.parametrize("entity", entities(), ids=lambda entity: entity.__name__)
def test_the_read_for_a_write_locks_the_row_without_its_key(entity: type[Base]) -> None:
    """A full lock would block inserts that refer to the learner until the change of the learner commits."""
    locked, read = (
        str(one_for_write(Role.MASTER_ADMIN, entity, locked).compile(dialect=postgresql.dialect()))
        for locked in (True, False)
    )
    assert locked.endswith(f"FOR NO KEY UPDATE OF {entity.__tablename__}")
    assert "FOR " not in read

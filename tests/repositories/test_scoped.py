"""What is read to be changed is locked against other changes, and against no more than those."""

import pytest
from sqlalchemy.dialects import postgresql

from db.models.base import Base
from db.models.registry import entities
from domain.enums import Role
from repositories.scoped import one_for_write


@pytest.mark.parametrize("entity", entities(), ids=lambda entity: entity.__name__)
def test_a_record_to_be_changed_is_locked_and_may_still_be_referred_to(entity: type[Base]) -> None:
    """With a full lock, whoever adds a record of a learner would wait for whoever changes the learner."""
    locked, read = (
        str(one_for_write(Role.MASTER_ADMIN, entity, locked).compile(dialect=postgresql.dialect()))
        for locked in (True, False)
    )
    assert locked.endswith(f"FOR NO KEY UPDATE OF {entity.__tablename__}")
    assert "FOR " not in read

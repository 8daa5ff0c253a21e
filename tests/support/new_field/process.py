"""Runs a copy of Waymark that has one more field of Learner, and prints what each part does with it as JSON.

`python -m tests.support.new_field.process FOLDER` in the copy, after its mapped class, row, type and input have got the
column `pronouns`. It writes the migration and the schema, as the checklist of CONTRIBUTING.md does.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import structlog

from db.database import Database
from db.migrate import migrate, write_migration
from db.models.learner import Learner
from domain import clock, global_id
from domain.enums import Role
from schema.root import make_schema, printed
from services.privacy.erasure import erase_learner
from services.privacy.subject_access import export_subject
from tests.support.factories import Factory
from tests.support.viewers import context, viewer

UPDATE = """
mutation($id: ID!, $pronouns: String) {
  learnerUpdate(id: $id, input: {pronouns: $pronouns}) { learner { pronouns } errors { code field } }
}
"""


async def facts(folder: Path) -> dict[str, Any]:
    """Returns the results of each part of the product for the field."""
    database = Database(f"sqlite:///{folder}/tables.db")
    await migrate(database)
    found: dict[str, Any] = {"migration": Path(await write_migration(database, "Adds the pronouns.")).name}
    await database.close()
    database = Database(f"sqlite:///{folder}/tables.db")
    schema = make_schema()
    Path("schema/schema.graphql").write_text(printed())
    async with database.writing() as session:
        # What the migration does once it was read.
        await (await session.connection()).exec_driver_sql("ALTER TABLE learner ADD COLUMN pronouns VARCHAR(300)")
        factory = Factory(session)
        provider = await factory.provider()
        admin = await factory.user(provider, "Adam", Role.BASIC_ADMIN)
        learner = await factory.learner(provider, "Ada")
    acting = context(database, viewer(admin, Role.BASIC_ADMIN), folder)

    async def update(pronouns: str | None) -> Any:
        variables = {"id": global_id.encode("Learner", learner.id), "pronouns": pronouns}
        answer = await schema.execute(UPDATE, variable_values=variables, context_value=acting)
        assert answer.errors is None and answer.data is not None, answer.errors
        return answer.data["learnerUpdate"]

    found["changed"] = await update(" they/\n them ")
    found["too long"] = await update("x" * 201)
    found["emptied"] = await update(None)
    await update("they/them")
    async with database.snapshot() as session:
        subject = await export_subject(session, learner.id)
        assert subject is not None
        found["subject access"] = subject.tables["learner"][0]["pronouns"]
    async with database.writing() as session:
        row = await session.get_one(Learner, learner.id)
        await erase_learner(session, row, clock.now())
        await session.refresh(row)
        found["after erasure"] = row.pronouns  # type: ignore[attr-defined]
    await database.close()
    return found


if __name__ == "__main__":
    # The standard output is for the facts, so the log goes to the standard error.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    print(json.dumps(asyncio.run(facts(Path(sys.argv[1]))), default=str))

"""Runs Waymark with one more entity, in a process of its own, and prints the result of each part as JSON.

`python -m tests.support.new_entity.process DATABASE_URL FOLDER`. The entity's modules are beside this file, one for
each package; the packages find them through their search path, so that no file of the product names them.
"""

import asyncio
import gc
import importlib
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

PACKAGES = ("db.models", "loaders", "resolvers", "resolvers.rules", "schema.types", "schema.mutations")

# It ends soon: to look for garbage in what is imported would take a third of the time.
gc.disable()
# Before anything else is imported: the packages discover their modules once.
for _name in PACKAGES:
    importlib.import_module(_name).__path__.append(str(Path(__file__).parent / _name.replace(".", "/")))

import structlog  # noqa: E402
from sqlalchemy import select  # noqa: E402

from auth import policy, scope  # noqa: E402
from db.database import Database  # noqa: E402
from db.models.audit_event import AuditEvent  # noqa: E402
from db.models.personal_data import undeclared_columns  # noqa: E402
from db.models.registry import entities, metadata  # noqa: E402
from domain import clock, global_id  # noqa: E402
from domain.enums import Role  # noqa: E402
from loaders.core.registry import node_loaders  # noqa: E402
from repositories.scoped import one_for_write  # noqa: E402
from resolvers.core.rules import rules_by_type  # noqa: E402
from schema.root import make_schema, printed  # noqa: E402
from services.privacy.erasure import erase_learner  # noqa: E402
from services.privacy.subject_access import export_subject  # noqa: E402
from tests.authorization.schema_crawler import nodes_document, roots_document  # noqa: E402
from tests.support.factories import DAY, Factory  # noqa: E402
from tests.support.viewers import context, viewer  # noqa: E402

FIELDS = "id title note dueOn lentBy { name } returnedAt viewerActions { mutation allowed }"
READ = f"query($id: ID!) {{ toolLoan(id: $id) {{ {FIELDS} }} node(id: $id) {{ id ... on ToolLoan {{ title }} }} }}"
LIST = """
{ toolLoans { totalCount nodes { title } }
  end: toolLoans(last: 1) { pageInfo { hasPreviousPage } nodes { title } }
  open: toolLoans(openOnly: true) { totalCount } }
"""
RETURN = f"""
mutation($id: ID!, $note: String!) {{
  toolLoanReturn(id: $id, input: {{note: $note}}) {{ toolLoan {{ {FIELDS} }} errors {{ code field }} }}
}}
"""


_schema = cache(make_schema)


class Scenario:
    """Ada has two loans, one in Ann's aim and one in general. Bob teaches Bea, who has none."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.people: dict[str, Any] = {}
        self.loans: dict[str, str] = {}

    async def fill(self) -> None:
        entity: Any = _entity()
        async with self.database.writing() as session:
            # What the migration of a new entity does.
            await (await session.connection()).run_sync(entity.__table__.create)
            factory = Factory(session)
            provider = await factory.provider()
            for name in ("Ann", "Bob"):
                self.people[name] = (await factory.user(provider, name, Role.ASSESSOR), Role.ASSESSOR)
            self.learner = await factory.learner(provider, "Ada")
            aim = await factory.aim(self.learner, assessor=self.people["Ann"][0])
            await factory.aim(await factory.learner(provider, "Bea"), assessor=self.people["Bob"][0])
            self.people["Ada"] = (await session.get_one(_class("User"), self.learner.user_id), Role.LEARNER)
            for title, aim_key, days in (("Torque wrench", aim.id, 3), ("Chain tool", None, 9)):
                loan = entity(
                    provider_id=provider.id, learner_id=self.learner.id, aim_id=aim_key, title=title, note="New",
                    due_on=factory.today + days * DAY, lent_by_id=self.people["Ann"][0].id,
                )  # fmt: skip
                self.loans[title] = global_id.encode("ToolLoan", (await factory.add(loan)).id)

    async def ask(self, who: str, document: str, executor: str = "compiled", **variables: Any) -> Any:
        """Returns the data of an operation of a user."""
        user, role = self.people[who]
        own_record = self.learner if role is Role.LEARNER else None
        acting = context(self.database, viewer(user, role, own_record), self.folder)
        answer = await _schema(executor).execute(document, variable_values=variables, context_value=acting)
        assert answer.errors is None, answer.errors
        return answer.data

    async def found_for_write(self, who: str) -> bool:
        """Returns whether a write finds the loan in the aim."""
        user, role = self.people[who]
        key = global_id.decode("ToolLoan", self.loans["Torque wrench"])
        parameters = {**scope.viewer_params(viewer(user, role)), "key": key}
        async with self.database.writing() as session:
            return (await session.execute(await one_for_write(role, _entity(), True), parameters)).first() is not None

    async def rows(self) -> list[Any]:
        table = _entity().__table__
        async with self.database.snapshot() as session:
            return [dict(row) for row in (await session.execute(select(table).order_by(table.c.id))).mappings()]


def _class(name: str) -> Any:
    return next(entity for entity in entities() if entity.__name__ == name)


def _entity() -> Any:
    return _class("ToolLoan")


async def facts(database: Database, folder: Path) -> dict[str, Any]:
    """Returns the results of each part of the product for the entity."""
    scenario, found = Scenario(database, folder), {}
    await scenario.fill()
    found["declared"] = {
        "entity": "ToolLoan" in [entity.type_name() for entity in entities()],
        "table": "tool_loan" in metadata.tables,
        "node loader": "ToolLoan" in node_loaders(),
        "type": "type ToolLoan implements Node" in printed(),
        "asked of every viewer": "ToolLoan_note" in nodes_document() and "Query_toolLoans" in roots_document(),
        "viewer actions": rules_by_type()["ToolLoan"].mutations == ["toolLoanReturn"],
        "part": _entity().__part__ is not None,
        "undeclared": [column.name for column in undeclared_columns(_entity().__table__)],
    }
    loan = scenario.loans["Torque wrench"]
    for executor in ("compiled", "generic"):
        found[f"read {executor}"] = {who: await scenario.ask(who, READ, executor, id=loan) for who in scenario.people}
        found[f"list {executor}"] = {who: await scenario.ask(who, LIST, executor) for who in scenario.people}
    found["for write"] = {who: await scenario.found_for_write(who) for who in scenario.people}
    without_policy = await scenario.ask("Ann", RETURN, id=loan, note="Good")
    # A new mutation needs a row in auth/policy.py, the only table of permissions for mutations.
    with mock.patch.dict(policy.MUTATIONS, {"toolLoanReturn": frozenset({Role.ASSESSOR})}):
        found["mutation"] = {
            "not in the policy": without_policy,
            **{who: await scenario.ask(who, RETURN, id=loan, note="Good") for who in ("Bob", "Ada", "Ann")},
        }
    async with database.snapshot() as session:
        events = await session.scalars(select(AuditEvent).where(AuditEvent.subject_type == "ToolLoan"))
        found["audit"] = [event.action for event in events]
        subject = await export_subject(session, scenario.learner.id)
    assert subject is not None
    found["subject access"] = subject.tables["tool_loan"]
    before = await scenario.rows()
    async with database.writing() as session:
        await erase_learner(session, await session.get_one(_class("Learner"), scenario.learner.id), clock.now())
    found["before erasure"], found["after erasure"] = before, await scenario.rows()
    return found


async def _main(url: str, folder: str) -> None:
    database = Database(url)
    try:
        print(json.dumps(await facts(database, Path(folder)), default=str))
    finally:
        await database.close()


if __name__ == "__main__":
    # The standard output is for the facts, so the log goes to the standard error.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(_main(*sys.argv[1:]))

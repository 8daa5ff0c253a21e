"""Calls every mutation with arguments that are generated from the schema and the given ids of records.

`MutationCaller` commits the changes; with a `RollbackDatabase` it rolls them back.
"""

import datetime as dt
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from domain.enums import Role
from tests.authorization.schema_crawler import graph, schema
from tests.authorization.viewer_crawler import ViewerCrawler

PASSWORD = "a heron on the weir"

# The value of an argument, by its name or by "mutation.name", which takes precedence.
VALUES: dict[str, Any] = {
    "name": "New Name", "email": "somebody.new@example.org", "title": "A title", "description": "What it is",
    "subject": "About tomorrow", "body": "See you at nine.", "text": "I weld.", "comment": "Better now",
    "comments": "Learned to weld", "pointsForImprovement": "Show the whole weld", "learnerFeedback": "Done",
    "password": PASSWORD, "declareOwnWork": True, "signOff": False, "attended": True, "minutes": 30, "size": 5,
    "contentType": "text/plain", "documentSha256": "0" * 64, "role": "EMPLOYER_MANAGER", "roles": ["LEARNER"],
    "acceptsEvidence": True, "feedback": "Well done", "location": "Site A", "planningNotes": "Bring the log",
    "fileUploadCreate.name": "notes.txt", "cvSectionSave.name": "SKILLS", "uln": "1000000016",
    "assessmentMethods": ["OBSERVATION"], "disclaimer": "Other words", "unitSignatures": ["ASSESSOR"],
    "fromUnitNumber": "1", "fromCode": "1.1", "toUnitNumber": "1", "toCode": "1.2", "breakBegin.reason": "ILLNESS",
    "note": "Back soon", "plannedMinutes": 6000, "priorLearningMinutes": 600, "outcome": "ACHIEVED",
    "traffic": 10, "slug": "dashboard", "reason": "They asked", "bucket": "RESOURCES", "status": "IN_TRAINING",
    "nextSteps": "The brakes", "aimsPercent": 20, "unitsPercent": 30, "firstUnitsOfNewAssessor": 3, "seed": 7,
    "sampleConclude.outcome": "ACCEPTED", "valid": True, "authentic": True, "current": True, "sufficient": True,
    "answer": "I added it", "reviewSignatures": ["LEARNER", "ASSESSOR"],
    "endpoint": "https://fcm.googleapis.com/fcm/send/none",
}  # fmt: skip
# The values of other arguments that are required, by their type. A day is today.
ANY: dict[str, Any] = {"String": "Some text", "Int": 1, "Float": 1.0, "Boolean": True}
# Days from today, for dates and moments.
DAYS = {
    "startDate": 0, "returnedOn": -20, "breakUpdate.startDate": -30, "plannedEndDate": 200, "targetDate": 7, "date": 0,
    "startsAt": 60, "endsAt": 60,
}  # fmt: skip
# Left out where they are optional: they would change another rule of the mutation.
LEFT_OUT = {
    "breakEnd.plannedEndDate", "aimUpdate.startDate", "originalStartDate", "expectedReturnDate", "outcome",
    "actualEndDate", "status", "email", "uln", "bucket", "jobSetting", "disclaimer",
}  # fmt: skip


def mutations() -> list[str]:
    """Returns the name of every mutation."""
    return list(graph().mutation_type.fields)


def id_paths(mutation: str) -> list[tuple[str, ...]]:
    """Returns the paths (names of arguments and input fields) of the ids in a mutation's arguments."""

    def inside(name: str, type_: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        inner = get_named_type(type_)
        if inner.name == "ID":
            yield (*path, name)
        elif isinstance(inner, GraphQLInputObjectType):
            for part, field in inner.fields.items():
                yield from inside(part, field.type, (*path, name))

    arguments = graph().mutation_type.fields[mutation].args
    return [path for name, argument in arguments.items() for path in inside(name, argument.type, ())]


def arguments(mutation: str, ids: dict[str, str], today: dt.date, optional: bool = False) -> dict[str, Any]:
    """Returns the variables of a mutation.

    `ids`: the ids, and values that depend on a record, by the name of the argument or by "mutation.name". An optional
    id is left out if it is not in `ids` or `optional` is false.
    """

    def value(name: str, type_: GraphQLInputType) -> Any:
        inner = get_named_type(type_)
        bare = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        if isinstance(inner, GraphQLInputObjectType):
            made = {
                part: value(part, field.type)
                for part, field in inner.fields.items()
                if wanted(part, field.type, is_required_input_field(field))
            }
        elif inner.name == "ID":
            made = ids.get(f"{mutation}.{name}", ids.get(name))
        else:
            made = plain(name, inner)
        return [made] if isinstance(bare, GraphQLList) and not isinstance(made, list) else made

    def plain(name: str, inner: Any) -> Any:
        if name in DAYS or inner.name == "Date":
            day = today + dt.timedelta(days=DAYS.get(f"{mutation}.{name}", DAYS.get(name, 0)))
            if inner.name == "Date":
                return day.isoformat()
            return f"{day.isoformat()}T{'10' if name == 'startsAt' else '11'}:00:00+00:00"
        chosen = ids.get(f"{mutation}.{name}", VALUES.get(f"{mutation}.{name}", VALUES.get(name)))
        if chosen is None:
            if isinstance(inner, GraphQLEnumType):
                return next(iter(inner.values))
            assert inner.name in ANY, f"{mutation}: add a value of {name} to VALUES"
            return ANY[inner.name]
        return chosen

    def wanted(name: str, type_: GraphQLInputType, required: bool) -> bool:
        inner = get_named_type(type_)
        if inner.name == "ID":
            known = f"{mutation}.{name}" in ids or name in ids
            assert known or not required, f"{mutation}: no id for {name}"
            return known and (required or (optional and name not in LEFT_OUT))
        given = f"{mutation}.{name}" in VALUES or name in VALUES or name in DAYS
        return required or (given and not {name, f"{mutation}.{name}"} & LEFT_OUT)

    given = graph().mutation_type.fields[mutation].args
    return {
        name: value(name, argument.type)
        for name, argument in given.items()
        if wanted(name, argument.type, is_required_argument(argument))
    }


def document(mutation: str) -> str:
    """Returns the document of a mutation with its arguments as variables, which selects the errors."""
    field = graph().mutation_type.fields[mutation]
    declared = ", ".join(f"${name}: {argument.type}" for name, argument in field.args.items())
    passed = ", ".join(f"{name}: ${name}" for name in field.args)
    given = f"({declared})" if declared else ""
    return f"mutation{given} {{ {mutation}{f'({passed})' if passed else ''} {{ errors {{ code field message }} }} }}"


class RollbackDatabase(Database):
    """A database that rolls every transaction back at its end."""

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        async with super().writing() as session:
            yield session
            await session.flush()
            await session.rollback()


class MutationCaller:
    """Calls mutations as a user in a role."""

    def __init__(self, crawler: ViewerCrawler) -> None:
        self.crawler = crawler

    async def errors(self, user: int, role: Role, mutation: str, variables: dict[str, Any]) -> list[dict[str, Any]]:
        """Returns the errors of the payload. Raises AssertionError if the response has other errors."""
        context = self.crawler.context(user, role)
        answer = await schema().execute(document(mutation), variable_values=variables, context_value=context)
        assert answer.errors is None, (mutation, role, answer.errors)
        return answer.data[mutation]["errors"]

    async def codes(self, user: int, role: Role, mutation: str, variables: dict[str, Any]) -> set[str]:
        return {error["code"] for error in await self.errors(user, role, mutation, variables)}

    async def errors_as_json(self, user: int, role: Role, mutation: str, variables: dict[str, Any]) -> str:
        """Returns the errors as JSON."""
        return json.dumps(await self.errors(user, role, mutation, variables))

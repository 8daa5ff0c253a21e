"""Calls every mutation with arguments made from the schema; the records that it changes are given.

`MutationCaller` commits the changes, or rolls each transaction back where it would have been committed.
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

# What a person says, by the argument's name; a value by "mutation.name" wins.
TOLD: dict[str, Any] = {
    "name": "New Name", "email": "somebody.new@example.org", "title": "A title", "description": "What it is",
    "subject": "About tomorrow", "body": "See you at nine.", "text": "I weld.", "comment": "Better now",
    "comments": "Learned to weld", "pointsForImprovement": "Show the whole weld", "learnerFeedback": "Done",
    "password": PASSWORD, "declareOwnWork": True, "signOff": False, "attended": True, "minutes": 30, "size": 5,
    "contentType": "text/plain", "documentSha256": "0" * 64, "role": "EMPLOYER_MANAGER", "roles": ["LEARNER"],
    "acceptsEvidence": True, "feedback": "Well done", "location": "Site A", "planningNotes": "Bring the log",
    "fileUploadCreate.name": "notes.txt", "cvSectionSave.name": "SKILLS", "uln": "1000000016",
    "assessmentMethods": ["OBSERVATION"], "disclaimer": "Other words", "unitSignatures": ["ASSESSOR"],
    "traffic": 10, "slug": "dashboard", "reason": "They asked", "bucket": "RESOURCES", "status": "IN_TRAINING",
}  # fmt: skip
# Days from today, for dates and moments.
DAYS = {"startDate": 0, "plannedEndDate": 200, "targetDate": 7, "date": 0, "startsAt": 60, "endsAt": 60}
# Left out where it need not be said: it would be about something else.
UNSAID = {"actualEndDate", "status", "email", "uln", "bucket", "jobSetting", "disclaimer"}


def mutations() -> list[str]:
    """Every mutation there is."""
    return list(graph().mutation_type.fields)


def id_paths(mutation: str) -> list[tuple[str, ...]]:
    """Where ids stand in a mutation's arguments, as paths of names."""

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
    """A mutation's variables. `ids`: by the name of the argument or by "mutation.name" (what is said of a record stands
    there too); what is not in it is left out.

    `optional`: with every id that may be given.
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
        if name in DAYS:
            day = today + dt.timedelta(days=DAYS[name])
            if inner.name == "Date":
                return day.isoformat()
            return f"{day.isoformat()}T{'10' if name == 'startsAt' else '11'}:00:00+00:00"
        told = ids.get(f"{mutation}.{name}", TOLD.get(f"{mutation}.{name}", TOLD.get(name)))
        if told is None:
            assert isinstance(inner, GraphQLEnumType), f"{mutation}: say in TOLD what a person says for {name}"
            return next(iter(inner.values))
        return told

    def wanted(name: str, type_: GraphQLInputType, required: bool) -> bool:
        inner = get_named_type(type_)
        if inner.name == "ID":
            known = f"{mutation}.{name}" in ids or name in ids
            assert known or not required, f"{mutation}: whose id is {name}?"
            return known and (required or (optional and name not in UNSAID))
        return required or (f"{mutation}.{name}" in TOLD or name in TOLD or name in DAYS) and name not in UNSAID

    given = graph().mutation_type.fields[mutation].args
    return {
        name: value(name, argument.type)
        for name, argument in given.items()
        if wanted(name, argument.type, is_required_argument(argument))
    }


def document(mutation: str) -> str:
    """The mutation with its arguments as variables: what it gives by id, and its errors whole."""
    field = graph().mutation_type.fields[mutation]
    declared = ", ".join(f"${name}: {argument.type}" for name, argument in field.args.items())
    passed = ", ".join(f"{name}: ${name}" for name in field.args)
    given = f"({declared})" if declared else ""
    return f"mutation{given} {{ {mutation}{f'({passed})' if passed else ''} {{ errors {{ code field message }} }} }}"


class RollbackDatabase(Database):
    """The same database, in which every transaction is undone at its end."""

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        async with super().writing() as session:
            yield session
            await session.flush()
            await session.rollback()


class MutationCaller:
    """Carries mutations out as somebody."""

    def __init__(self, crawler: ViewerCrawler) -> None:
        self.crawler = crawler

    async def errors(self, user: int, role: Role, mutation: str, variables: dict[str, Any]) -> list[dict[str, Any]]:
        """The errors of the payload; there must be no other."""
        context = self.crawler.context(user, role)
        answer = await schema().execute(document(mutation), variable_values=variables, context_value=context)
        assert answer.errors is None, (mutation, role, answer.errors)
        return answer.data[mutation]["errors"]

    async def codes(self, user: int, role: Role, mutation: str, variables: dict[str, Any]) -> set[str]:
        return {error["code"] for error in await self.errors(user, role, mutation, variables)}

    async def errors_as_json(self, user: int, role: Role, mutation: str, variables: dict[str, Any]) -> str:
        """The errors as the bytes of an answer have them."""
        return json.dumps(await self.errors(user, role, mutation, variables))

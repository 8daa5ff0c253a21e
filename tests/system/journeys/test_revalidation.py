"""Revalidation with ETag: unchanged responses are not sent again."""

import datetime as dt

from sqlalchemy import update

from db.database import Database
from db.models.action import Action
from tests.support.client import HttpClient
from tests.support.demo_server import Demo

KPIS = "/graphql?documentId=employer_kpis"
PLAIN = {"content-type": "application/json"}


async def refreshed(person: HttpClient, tag: str | None = None) -> tuple[int, str]:
    """Returns the status and the ETag of the current response."""
    answer = await person.http.get(KPIS, headers={**PLAIN, **({"if-none-match": tag} if tag else {})})
    return answer.status_code, answer.headers["etag"]


async def test_unchanged_numbers_are_not_sent_again(demo: Demo, backend: str) -> None:
    async with demo.serving(backend) as running, running.signed_in("employer.overview") as overview:
        status, tag = await refreshed(overview)
        assert status == 200
        assert await refreshed(overview, tag) == (304, tag)

        async with running.signed_in("employer.manager") as manager:
            status, other = await refreshed(manager, tag)
            assert (status, other != tag) == (200, True), "one viewer's tag is nobody else's"

        database: Database = running.server.services.database
        async with database.writing() as session:
            await session.execute(update(Action).values(target_date=dt.date(2020, 1, 1)))
        status, newer = await refreshed(overview, tag)
        assert status == 200
        assert newer != tag

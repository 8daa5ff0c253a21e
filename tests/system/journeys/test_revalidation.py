"""A phone that refreshes: nothing is sent again where nothing has changed, and what has changed is."""

import datetime as dt

from sqlalchemy import update

from db.database import Database
from db.models.registry import Action
from tests.support.client import HttpClient
from tests.support.demo_server import Demo

KPIS = "/graphql?documentId=employer_kpis"
PLAIN = {"content-type": "application/json"}


async def refreshed(person: HttpClient, tag: str | None = None) -> tuple[int, str]:
    """The status, and the tag of what is there now."""
    answer = await person.http.get(KPIS, headers={**PLAIN, **({"if-none-match": tag} if tag else {})})
    return answer.status_code, answer.headers["etag"]


async def test_numbers_that_are_the_same_are_not_sent_again(demo: Demo, backend: str) -> None:
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

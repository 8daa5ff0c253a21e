"""The database is away, or holds a lock, while a worker process reads an export: 503, and the next export works."""

from pathlib import Path

import httpx2
from sqlalchemy import text

from db.database import Database
from tests.support.client import HttpClient
from tests.support.demo_server import Demo
from tests.support.http_server import serving
from tests.support.tcp_proxy import TcpProxy

LINKS = """{ learners(first: 1) { nodes {
  timeLogExport { url } aims { progressMapExport { url } recordOfAchievementExport { url } } } } }"""


async def links(person: HttpClient) -> list[str]:
    (learner,) = (await person.data(LINKS))["learners"]["nodes"]
    return [learner["timeLogExport"]["url"], *(export["url"] for export in learner["aims"][0].values())]


def assert_unavailable(response: httpx2.Response) -> None:
    assert response.status_code == 503, response.text
    assert response.json() == {"error": "The service is not available at the moment. Try again."}
    assert int(response.headers["retry-after"]) > 0 and response.headers["x-request-id"]


async def test_an_export_meets_an_outage(demo: Demo, tmp_path: Path) -> None:
    async with (
        TcpProxy(await demo.database_url("postgresql")) as proxy,
        serving(proxy.url, tmp_path) as running,
        running.signed_in("master.admin") as person,
    ):
        urls = await links(person)
        # The first has no process yet, the others one with connections that are lost.
        for number, url in enumerate(urls):
            await proxy.disconnect()
            assert_unavailable(await person.fetch(url))
            await proxy.restore()
            assert (await person.fetch(url)).status_code == 200, number


async def test_an_export_waits_for_a_lock_no_longer_than_a_statement_may(demo: Demo, tmp_path: Path) -> None:
    url = await demo.database_url("postgresql")
    holder = Database(url)
    async with serving(url, tmp_path, WAYMARK_STATEMENT_SECONDS="1") as running:
        async with running.signed_in("master.admin") as person:
            urls = await links(person)
            async with holder.writing() as session:
                await session.execute(text("lock table learner in access exclusive mode"))
                assert_unavailable(await person.fetch(urls[0]))
            assert (await person.fetch(urls[0])).status_code == 200
    await holder.close()

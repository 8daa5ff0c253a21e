"""The export service over a scenario, with the links that users are given."""

from dataclasses import dataclass, replace
from typing import Any

from auth.signed_urls import DOWNLOAD, EXPORT
from db.models.file import File
from resolvers.core.context import Context
from resolvers.signed_url_service import SignedUrlService
from services.storage.transfers import GeneratedExport
from tests.support.client import InProcessClient
from tests.support.factories import Factory
from tests.support.scenarios.base import id_of
from tests.support.scenarios.full_portfolio import FullPortfolio

FILE = "query($id: ID!) { node(id: $id) { ... on File { download { url expiresAt } } } }"
EXPORTS = """query($id: ID!, $filter: TimeLogFilter) { learner(id: $id) { timeLogExport(filter: $filter) { url }
    aims { title progressMapExport { url } toDo: progressMapExport(filter: NON_COMPLETED) { url }
    recordOfAchievementExport { url expiresAt } } } }"""


@dataclass
class Counter:
    """The export service and the links that users are given."""

    scenario: FullPortfolio
    url_service: SignedUrlService

    async def sign_in(self, who: str) -> Context:
        """Returns the context of a user whose authentication session is in the database."""
        context = self.scenario.context(who)
        user, role, _ = self.scenario.people[who]
        async with self.scenario.database.writing() as session:
            made = await Factory(session).auth_session(user, role)
        context.viewer = replace(context.viewer, auth_session_key=made.id)
        return context

    async def claims(self, who: str, file: File) -> dict[str, Any]:
        """Returns the claims of a user's link to the file."""
        context = await self.sign_in(who)
        answer = await InProcessClient.of(context).data(FILE, id=id_of(file))
        return self.opened(context, DOWNLOAD, answer["node"]["download"]["url"])

    def opened(self, context: Context, purpose: str, url: str) -> dict[str, Any]:
        path = {DOWNLOAD: "downloads", EXPORT: "exports"}[purpose]
        base, _, text = url.rpartition("/")
        assert base == f"http://waymark.test/{path}"
        return context.services.links.verify(purpose, text)

    async def exports(self, who: str, **filter: Any) -> dict[str, dict[str, Any]]:
        """Returns the claims of a user's links to every export about Ada; for aims, of the first visible one."""
        context = await self.sign_in(who)
        answer = await InProcessClient.of(context).data(EXPORTS, id=id_of(self.scenario.ada), filter=filter)
        learner = answer["learner"]
        aim = {name: value for name, value in learner["aims"][0].items() if name != "title"}
        links = {"timeLogExport": learner["timeLogExport"], **aim}
        return {name: self.opened(context, EXPORT, value["url"]) for name, value in links.items()}

    async def generate(self, claims: dict[str, Any]) -> GeneratedExport | None:
        """Generates an export, as if it was sent at once."""
        generated = await self.url_service.generate_export(claims)
        if generated is not None and generated.release is not None:
            generated.release()
        return generated

    async def change(self, *statements: Any) -> None:
        async with self.scenario.database.writing() as session:
            for statement in statements:
                await session.execute(statement)

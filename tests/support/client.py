"""One interface to the GraphQL API for tests, with two implementations: in this process, and over HTTP.

    evidence = await assessor.mutate("evidenceReturn", id=evidence["id"], pointsForImprovement="Say why.")
    assert await learner.user_errors("evidenceReturn", id=…, pointsForImprovement="…") == {None: "NOT_ALLOWED"}

`mutate` selects everything of the payload that a change may have moved (`SELECTIONS`), reads the same record again and
compares: a client with a normalised cache then holds what the server would answer.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from typing import Any

import httpx2
import strawberry
from graphql import GraphQLNamedType, build_schema, get_named_type, is_leaf_type

from db.database import statement_count
from resolvers.core.context import Context
from schema.root import make_schema
from tests.support.architecture import ROOT
from tests.support.kept_documents import KeptDocuments
from tests.support.selections import PROGRESS, SELECTIONS

SCHEMA = build_schema((ROOT / "schema" / "schema.graphql").read_text())
# The password of every user of the demo.
PASSWORD = "waymark-demo"


@cache
def served_schema(executor: str = "compiled") -> strawberry.Schema:
    """Returns the served schema, which parses and validates a document once."""
    made = make_schema(executor)
    made.extensions = (KeptDocuments,)
    return made


def document(mutation: str) -> str:
    """Returns the mutation with every argument as a variable, and everything of its payload in `SELECTIONS`."""
    fields = _payload_type(mutation).fields
    return operation(mutation, *(f"{name} {_selection(get_named_type(one.type))}" for name, one in fields.items()))


def operation(mutation: str, *fields: str) -> str:
    """Returns the mutation with every argument as a variable, and these fields of its payload."""
    arguments = SCHEMA.mutation_type.fields[mutation].args  # type: ignore[union-attr]
    declared = ", ".join(f"${name}: {argument.type}" for name, argument in arguments.items())
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    declared, passed = (f"({text})" if text else "" for text in (declared, passed))
    return f"mutation{declared} {{ {mutation}{passed} {{ {' '.join(fields)} }} }}"


def _payload_type(mutation: str) -> Any:
    return get_named_type(SCHEMA.mutation_type.fields[mutation].type)  # type: ignore[union-attr]


def _selection(type_: GraphQLNamedType) -> str:
    return "" if is_leaf_type(type_) else f"{{ {SELECTIONS[type_.name]} }}"


def _changed_field(mutation: str, payload: dict[str, Any]) -> str | None:
    """Returns the field of the payload that has the record which the mutation changed; None if several have."""
    # Beside the record itself, what else the change moved.
    own = [name for name in payload if name not in ("viewer", "learner")]
    named = [name for name in payload if mutation.startswith(name)]
    # Of a list that several mutations share, those that change nothing in it return none.
    found = named or [name for name in own if payload[name] != []] or own
    found = found or [name for name in payload if name == "learner"] or list(payload)
    if named or (len(found) == 1 and (len(own) < 2 or isinstance(payload[found[0]], dict | list))):
        return found[0]
    return None


class GraphQLClient(ABC):
    """Runs operations as one viewer."""

    @abstractmethod
    async def execute(
        self, query: str, variables: dict[str, Any], idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Returns the whole response: `data`, and `errors` if there are any."""

    async def response(self, query: str, **variables: Any) -> dict[str, Any]:
        """Returns the whole response."""
        return await self.execute(query, variables)

    async def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """Returns the data of a response without errors."""
        return self._data_of(await self.execute(query, variables))

    async def error_messages(self, query: str, **variables: Any) -> list[str]:
        """Returns the messages of the errors of a response."""
        response = await self.execute(query, variables)
        return [error["message"] for error in response.get("errors", [])]

    async def payload(self, mutation: str, *, idempotency_key: str | None = None, **arguments: Any) -> dict[str, Any]:
        """Returns the payload of a mutation, its errors included."""
        return self._data_of(await self.execute(document(mutation), arguments, idempotency_key))[mutation]

    async def mutate(self, mutation: str, *, idempotency_key: str | None = None, **arguments: Any) -> Any:
        """Returns the record that the mutation changed, or the payload if it holds several.

        Fails if the mutation is rejected, or if a query returns anything else for a record in the payload.
        """
        payload = await self.payload(mutation, idempotency_key=idempotency_key, **arguments)
        errors = payload.pop("errors")
        assert errors == [], f"{mutation}: {errors}"
        types = _payload_type(mutation).fields
        for name, value in payload.items():
            for record in value if isinstance(value, list) else [value]:
                if isinstance(record, dict) and "id" in record:
                    assert record == await self.read(get_named_type(types[name].type).name, record["id"])
        changed = _changed_field(mutation, payload)
        return payload if changed is None else payload[changed]

    async def user_errors(self, mutation: str, **arguments: Any) -> dict[str | None, str]:
        """Returns the codes of a rejected mutation by the path of the input, such as `input.title`.

        Fails if the payload holds anything else, or two errors for one input.
        """
        payload = await self.payload(mutation, **arguments)
        errors = payload.pop("errors")
        assert errors, f"{mutation} was not rejected: {payload}"
        assert not any(payload.values())
        assert all(error["message"].endswith(".") for error in errors)
        found = {error["field"] and ".".join(error["field"]): error["code"] for error in errors}
        assert len(found) == len(errors), errors
        return found

    async def user_error_text(self, mutation: str, **arguments: Any) -> str:
        """Returns what a rejected mutation says to the viewer."""
        payload = await self.payload(mutation, **arguments)
        return " ".join(error["message"] for error in payload["errors"])

    async def read(self, type_name: str, id: str) -> dict[str, Any] | None:
        """Returns everything of a record in `SELECTIONS`, or None if the viewer does not see it."""
        query = f"query($id: ID!) {{ node(id: $id) {{ ... on {type_name} {{ {SELECTIONS[type_name]} }} }} }}"
        return (await self.data(query, id=id))["node"]

    async def kpis(self) -> dict[str, Any]:
        """Returns the viewer's numbers over all learners that they see."""
        found = await self.data(
            "{ viewer { kpis { learnerCount aimCount offTrackCount onTrackCount aheadCount notRatedCount "
            "awaitingSignatureCount outstandingActionCount overdueActionCount awaitingAssessmentCount "
            f"sessionsNext7Days {PROGRESS} offTheJob {{ actualMinutes }} }} }} }}"
        )
        return found["viewer"]["kpis"]

    async def audit_trail(self, subject: str, first: int = 20) -> list[tuple[str, str | None]]:
        """Returns the action and the actor of each line about a record, the newest first."""
        query = """query($id: ID!, $first: Int) {
          auditTrail(subjectId: $id, first: $first) { nodes { action actor { name } } } }"""
        lines = (await self.data(query, id=subject, first=first))["auditTrail"]["nodes"]
        return [(line["action"], line["actor"] and line["actor"]["name"]) for line in lines]

    @staticmethod
    def _data_of(response: dict[str, Any]) -> dict[str, Any]:
        assert "errors" not in response, response["errors"]
        return response["data"]


class InProcessClient(GraphQLClient):
    """Runs operations through the schema. `context` returns the context of one operation.

    `statements` is the number of SQL statements that the last operation sent.
    """

    def __init__(self, context: Callable[[str | None], Context], executor: str = "compiled") -> None:
        self._context = context
        self._schema = served_schema(executor)
        self.statements = 0

    @classmethod
    def of(cls, context: Context) -> "InProcessClient":
        """Returns a client that runs every operation with one context."""
        return cls(lambda _: context)

    async def execute(
        self, query: str, variables: dict[str, Any], idempotency_key: str | None = None
    ) -> dict[str, Any]:
        token = statement_count.set(count := [0])
        try:
            result = await self._schema.execute(
                query, variable_values=variables, context_value=self._context(idempotency_key)
            )
        finally:
            statement_count.reset(token)
        self.statements = count[0]
        response: dict[str, Any] = {"data": result.data}
        if result.errors:
            response["errors"] = [error.formatted for error in result.errors]
        return response


class HttpClient(GraphQLClient):
    """Runs operations over HTTP, with a token once signed in."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.tokens: dict[str, Any] = {}

    async def sign_in(self, username: str, password: str = PASSWORD, role: str | None = None) -> dict[str, Any]:
        """Signs in, and returns the viewer of the payload."""
        payload = await self.data(
            "mutation($input: LoginInput!) { login(input: $input) { accessToken refreshToken "
            "viewer { role mustChangePassword mustAcceptDisclaimer user { id name } } errors { code message } } }",
            input={"username": username, "password": password, "role": role},
        )
        assert payload["login"]["errors"] == [], payload
        self.use(payload["login"])
        return payload["login"]["viewer"]

    async def refresh(self) -> None:
        """Exchanges the refresh token for new tokens, as a client does before its access token expires."""
        payload = await self.data(
            "mutation($token: String!) { tokenRefresh(refreshToken: $token) { accessToken refreshToken "
            "errors { code message } } }",
            token=self.tokens["refreshToken"],
        )
        assert payload["tokenRefresh"]["errors"] == [], payload
        self.use(payload["tokenRefresh"])

    def use(self, tokens: dict[str, Any]) -> None:
        """Sends these tokens from now on."""
        self.tokens = tokens
        self.http.headers["authorization"] = f"Bearer {tokens['accessToken']}"

    async def execute(
        self, query: str, variables: dict[str, Any], idempotency_key: str | None = None
    ) -> dict[str, Any]:
        headers = {"idempotency-key": idempotency_key} if idempotency_key else {}
        return (await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)).json()

    async def post(self, query: str, **variables: Any) -> httpx2.Response:
        """Returns the HTTP response to one operation."""
        return await self.http.post("/graphql", json={"query": query, "variables": variables})

    async def upload(self, name: str, content_type: str, content: bytes) -> str:
        """Uploads a file, and returns its id."""
        created = await self.data(
            "mutation($input: FileUploadInput!) { fileUploadCreate(input: $input) { "
            "upload { fileId url headers { name value } } errors { code field message } } }",
            input={"name": name, "contentType": content_type, "size": len(content)},
        )
        payload = created["fileUploadCreate"]
        assert payload["errors"] == [], payload
        upload = payload["upload"]
        headers = {header["name"]: header["value"] for header in upload["headers"]}
        response = await self.http.put(upload["url"], content=content, headers=headers)
        assert response.status_code in (200, 201), response.text
        return upload["fileId"]

    async def fetch(self, url: str) -> httpx2.Response:
        """Gets a URL without the token."""
        async with httpx2.AsyncClient(timeout=self.http.timeout) as anonymous:
            return await anonymous.get(url)

    async def download(self, file_id: str) -> bytes:
        """Returns the bytes of a file."""
        found = await self.data("query($id: ID!) { node(id: $id) { ... on File { download { url } } } }", id=file_id)
        response = await self.fetch(found["node"]["download"]["url"])
        assert (response.status_code, response.headers["content-disposition"][:10]) == (200, "attachment")
        return response.content

"""People who act through the graph: each change is looked at again, and must be what its own answer said it is.

    assessor = await cast("assessor")
    evidence = await assessor.do("evidenceReturn", id=evidence["id"], pointsForImprovement="Say why.")
    assert await learner.refusal("evidenceReturn", id=…, pointsForImprovement="…") == ("NOT_ALLOWED", None)

`do` selects, of whatever the payload holds, everything that a change may have moved (`SHOWN`), and then reads the same
of the same record afresh: a client that keeps what it was answered, by id, holds what the server would tell it.
"""

from contextlib import AsyncExitStack
from typing import Any

import httpx2
from graphql import GraphQLNamedType, build_schema, get_named_type, is_leaf_type

from tests.support.architecture import ROOT
from tests.support.http_server import PASSWORD, Person, Running

SCHEMA = build_schema((ROOT / "schema" / "schema.graphql").read_text())

PROGRESS = (
    "progress { criteriaTotal criteriaMapped criteriaSignedOff durationPercent mappedPercent signedOffPercent "
    "pastPlannedEnd }"
)
UNIT_PROGRESS = "progress { criteriaTotal criteriaMapped criteriaSignedOff mappedPercent signedOffPercent }"
OF_AIM = f"id title status trafficLight {PROGRESS} resourceCount"
OF_LEARNER = (
    f"id name trafficLight {PROGRESS} daysRemaining outstandingActionCount awaitingSignatureCount "
    "nextSession { id number status startsAt } "
    "offTheJob { requiredMinutes expectedMinutes actualMinutes actualPercent }"
)
OF_UNIT = (
    f"id number title criteriaComplete signedOff {UNIT_PROGRESS} signatures {{ role required signedBy {{ id name }} }}"
)
FILE = "{ id name contentType size sha256 uploadedBy { id name } }"

# What is selected of each type in a payload.
SHOWN = {
    "UserError": "code field message",
    "User": "id name email lastLoginAt",
    "Viewer": "role mustChangePassword mustAcceptDisclaimer disclaimer user { id name }",
    "Employer": "id name parent { id name } sites { id name }",
    "Learner": f"{OF_LEARNER} uln employer {{ id name }} managers {{ id name }} photo {FILE} aims {{ {OF_AIM} }} "
    f"cv {{ sections {{ name text }} documents {{ kind file {FILE} }} }}",
    "Aim": f"{OF_AIM} startDate plannedEndDate actualEndDate assessor {{ id name }} iqa {{ id name }} "
    f"learner {{ {OF_LEARNER} }} qualification {{ id title }}",
    "ProviderSettings": "trafficLightTolerance ratedFromPercent reviewIntervalWeeks unitSignatures disclaimer",
    "Download": "url expiresAt",
    "FileUpload": "fileId url expiresAt headers { name value }",
    "Evidence": "id title description status declaredOwnWork feedback pointsForImprovement assessmentMethods "
    f"file {FILE} versions {{ number comment file {FILE} }} signatures {{ role signedBy {{ id name }} signedAt }} "
    f"mappings {{ signedOff criterion {{ id code status evidenceCount unit {{ {OF_UNIT} }} }} }} "
    f"aim {{ {OF_AIM} }} learner {{ {OF_LEARNER} }} submittedBy {{ id name }}",
    "Unit": f"{OF_UNIT} confirmationStatement criteria {{ id code status evidenceCount }} "
    f"aim {{ {OF_AIM} learner {{ {OF_LEARNER} }} }}",
    "Session": f"id number type status startsAt endsAt location planningNotes feedback files {FILE} "
    f"hasOutstandingActions assessor {{ id name }} aims {{ {OF_AIM} }} learner {{ {OF_LEARNER} }} "
    "actions { id status overdue }",
    "Action": f"id kind title description targetDate status overdue acceptsEvidence files {FILE} learnerFeedback "
    "minutesSpent learnerSubmittedAt completedBy { id name } completedAt session { id hasOutstandingActions } "
    f"evidence {{ id status }} learner {{ {OF_LEARNER} }}",
    "TimeLogEntry": "id date activityType jobSetting minutes comments automatic approvedBy { id name } approvedAt "
    f"aim {{ id }} unit {{ id number }} assessor {{ id name }} session {{ id }} learner {{ {OF_LEARNER} }}",
    "SignatureRequest": f"id title status awaitingViewer document {FILE} requestedBy {{ id name }} "
    f"slots {{ role signedBy {{ id name }} signedAt documentSha256 }} learner {{ {OF_LEARNER} }}",
    "Resource": f"id title file {FILE}",
}


def document(mutation: str) -> str:
    """The mutation with every argument that it takes, and everything of its payload that `SHOWN` says."""
    payload = get_named_type(SCHEMA.mutation_type.fields[mutation].type).fields  # type: ignore[union-attr]
    return operation(mutation, *(f"{name} {_shown(get_named_type(one.type))}" for name, one in payload.items()))


def operation(mutation: str, *chosen: str) -> str:
    """The mutation with every argument that it takes as a variable, and `chosen` of its payload."""
    arguments = SCHEMA.mutation_type.fields[mutation].args  # type: ignore[union-attr]
    declared = ", ".join(f"${name}: {argument.type}" for name, argument in arguments.items())
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    declared, passed = (f"({text})" if text else "" for text in (declared, passed))
    return f"mutation{declared} {{ {mutation}{passed} {{ {' '.join(chosen)} }} }}"


def _shown(type_: GraphQLNamedType) -> str:
    return "" if is_leaf_type(type_) else f"{{ {SHOWN[type_.name]} }}"


class Actor(Person):
    """Somebody who does things in the graph."""

    async def run(self, mutation: str, **arguments: Any) -> dict[str, Any]:
        """The payload, errors and all."""
        return (await self.data(document(mutation), **arguments))[mutation]

    async def do(self, mutation: str, **arguments: Any) -> Any:
        """What the mutation changed, which is also what a fresh query finds; the payload where it is not one thing."""
        payload = await self.run(mutation, **arguments)
        errors = payload.pop("errors")
        assert errors == [], f"{mutation}: {errors}"
        types = get_named_type(SCHEMA.mutation_type.fields[mutation].type).fields  # type: ignore[union-attr]
        for name, value in payload.items():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and "id" in one:
                    assert one == await self.seen(get_named_type(types[name].type).name, one["id"])
        named = [name for name in payload if mutation.startswith(name) or len(payload) == 1]
        return payload[named[0]] if named else payload

    async def refusal(self, mutation: str, **arguments: Any) -> tuple[str, str | None]:
        """The code of the one error, and the path of its field; nothing was changed."""
        (error,) = await self.refusals(mutation, **arguments)
        return error

    async def refusals(self, mutation: str, **arguments: Any) -> list[tuple[str, str | None]]:
        """The codes and fields of all errors; the payload holds nothing else."""
        payload = await self.run(mutation, **arguments)
        errors = payload.pop("errors")
        assert errors, f"{mutation} was not refused: {payload}"
        assert not any(payload.values())
        assert all(error["message"].endswith(".") for error in errors)
        return [(error["code"], ".".join(error["field"]) if error["field"] else None) for error in errors]

    async def seen(self, type_name: str, id: str) -> dict[str, Any] | None:
        """The record as this person now sees it, with everything of it that `SHOWN` says; None where they do not."""
        query = f"query($id: ID!) {{ node(id: $id) {{ ... on {type_name} {{ {SHOWN[type_name]} }} }} }}"
        return (await self.data(query, id=id))["node"]

    async def kpis(self) -> dict[str, Any]:
        """The person's own numbers, over everybody whom they see."""
        found = await self.data(
            "{ viewer { kpis { learnerCount aimCount offTrackCount onTrackCount aheadCount notRatedCount "
            "awaitingSignatureCount outstandingActionCount overdueActionCount awaitingAssessmentCount "
            f"sessionsNext7Days {PROGRESS} offTheJob {{ actualMinutes }} }} }} }}"
        )
        return found["viewer"]["kpis"]

    async def trail(self, subject: str, first: int = 20) -> list[tuple[str, str | None]]:
        """What the audit trail says was done to a record, and by whom, the newest first."""
        query = """query($id: ID!, $first: Int) {
          auditTrail(subjectId: $id, first: $first) { nodes { action actor { name } } } }"""
        lines = (await self.data(query, id=subject, first=first))["auditTrail"]["nodes"]
        return [(line["action"], line["actor"] and line["actor"]["name"]) for line in lines]

    async def fetch(self, url: str) -> httpx2.Response:
        """What a link gives, to somebody who has nothing but the link."""
        async with httpx2.AsyncClient() as anybody:
            return await anybody.get(url)

    async def download(self, file_id: str) -> bytes:
        """A file's bytes."""
        found = await self.data("query($id: ID!) { node(id: $id) { ... on File { download { url } } } }", id=file_id)
        answer = await self.fetch(found["node"]["download"]["url"])
        assert (answer.status_code, answer.headers["content-disposition"][:10]) == (200, "attachment")
        return answer.content


class Cast:
    """The people of one served demo, each signed in once: `await cast("assessor")`."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self._actors: dict[tuple[str, str | None], Actor] = {}
        self._stack = AsyncExitStack()

    async def __call__(self, username: str, role: str | None = None) -> Actor:
        if (username, role) not in self._actors:
            actor = await self.stranger()
            await actor.sign_in(username, PASSWORD, role)
            self._actors[username, role] = actor
        return self._actors[username, role]

    async def stranger(self) -> Actor:
        """Somebody who has not signed in."""
        client = httpx2.AsyncClient(base_url=self.running.address, timeout=30)
        return Actor(await self._stack.enter_async_context(client))

    async def close(self) -> None:
        """Everybody leaves."""
        await self._stack.aclose()

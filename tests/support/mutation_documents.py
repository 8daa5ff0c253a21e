"""Mutations asked through the schema as a client asks them: the learning plan and the time log, and `PEOPLE`."""

from functools import cache
from typing import Any

import strawberry

from schema.root import make_schema
from tests.support.mutation_documents_people import PEOPLE
from tests.support.scenarios import Stage

_ERRORS = "errors { code field message }"
_SESSION = f"""session {{ id number type status startsAt endsAt location planningNotes feedback assessor {{ name }}
  aims {{ id status }} files {{ id }} actions {{ id }} hasOutstandingActions }} {_ERRORS}"""
_ACTION = f"""action {{ id kind title description targetDate status overdue acceptsEvidence learnerFeedback minutesSpent
  learnerSubmittedAt completedAt completedBy {{ name }} session {{ id hasOutstandingActions }} aim {{ id }}
  files {{ id }} }}
  {_ERRORS}"""
_ENTRY = """id date activityType jobSetting minutes comments automatic aim { id } unit { id } assessor { name }
  session { id } approvedBy { name } approvedAt learner { offTheJob { actualMinutes } }"""

DOCUMENTS = {
    **PEOPLE,
    "sessionBook": f"mutation($input: SessionBookInput!) {{ sessionBook(input: $input) {{ {_SESSION} }} }}",
    "sessionUpdate": f"mutation($id: ID!, $input: SessionUpdateInput!) {{ sessionUpdate(id: $id, input: $input) "
    f"{{ {_SESSION} }} }}",
    "sessionComplete": f"mutation($id: ID!, $input: SessionCompleteInput!) {{ sessionComplete(id: $id, input: $input) "
    f"{{ {_SESSION} }} }}",
    "sessionCancel": f"mutation($id: ID!) {{ sessionCancel(id: $id) {{ {_SESSION} }} }}",
    "actionSet": f"mutation($input: ActionSetInput!) {{ actionSet(input: $input) {{ {_ACTION} }} }}",
    "actionUpdate": f"mutation($id: ID!, $input: ActionUpdateInput!) {{ actionUpdate(id: $id, input: $input) "
    f"{{ {_ACTION} }} }}",
    "actionRespond": f"mutation($id: ID!, $input: ActionRespondInput!) {{ actionRespond(id: $id, input: $input) "
    f"{{ {_ACTION} }} }}",
    "actionComplete": f"mutation($id: ID!) {{ actionComplete(id: $id) {{ {_ACTION} }} }}",
    "actionReopen": f"mutation($id: ID!) {{ actionReopen(id: $id) {{ {_ACTION} }} }}",
    "timeLogEntryAdd": f"mutation($input: TimeLogEntryInput!) {{ timeLogEntryAdd(input: $input) "
    f"{{ timeLogEntry {{ {_ENTRY} }} {_ERRORS} }} }}",
    "timeLogEntryUpdate": f"mutation($id: ID!, $input: TimeLogEntryInput!) {{ "
    f"timeLogEntryUpdate(id: $id, input: $input) {{ timeLogEntry {{ {_ENTRY} }} {_ERRORS} }} }}",
    "timeLogEntryDelete": f"mutation($id: ID!) {{ timeLogEntryDelete(id: $id) "
    f"{{ deletedId learner {{ id offTheJob {{ actualMinutes }} }} {_ERRORS} }} }}",
    "timeLogEntryApprove": f"mutation($ids: [ID!]!) {{ timeLogEntryApprove(ids: $ids) "
    f"{{ timeLogEntries {{ {_ENTRY} }} {_ERRORS} }} }}",
}  # fmt: skip


@cache
def _schema() -> strawberry.Schema:
    return make_schema()


async def ask(stage: Stage, who: str, mutation: str, key: str | None = None, **variables: Any) -> dict[str, Any]:
    """The payload of a mutation as somebody; `key` is the Idempotency-Key. Top-level errors fail the test."""
    result = await _schema().execute(
        DOCUMENTS[mutation], variable_values=variables, context_value=stage.at(who, idempotency_key=key)
    )
    assert result.errors is None, result.errors
    return result.data[mutation]


async def done(stage: Stage, who: str, mutation: str, **variables: Any) -> Any:
    """The changed entity of a mutation that must go through."""
    payload = await ask(stage, who, mutation, **variables)
    assert payload["errors"] == []
    return next(iter(payload.values()))


async def faults(stage: Stage, who: str, mutation: str, **variables: Any) -> dict[str | None, str]:
    """The codes of a mutation that must be refused, by field as `input.title`."""
    payload = await ask(stage, who, mutation, **variables)
    assert payload["errors"] and not any(value for name, value in payload.items() if name != "errors")
    return {error["field"] and ".".join(error["field"]): error["code"] for error in payload["errors"]}


async def words(stage: Stage, who: str, mutation: str, **variables: Any) -> str:
    """What a refusal says to the person."""
    payload = await ask(stage, who, mutation, **variables)
    return " ".join(error["message"] for error in payload["errors"])

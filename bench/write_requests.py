"""The requests of `scripts/bench --writes`: who sends them, and how each is encoded for Waymark and for LIMIT."""

import datetime as dt
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import asyncpg

from bench.servers import encode_post
from domain import clock
from services.demo.accounts import PASSWORD

# Time is logged on one of so many days.
DAYS = 60
REQUESTS = 2_000
# So many criteria are assessed at once, of the first ones of an aim.
_ASSESSED, _CRITERIA = 3, 60
_ENTRY = """mutation Add($input: TimeLogEntryInput!) { timeLogEntryAdd(input: $input) {
  timeLogEntry { id date jobSetting minutes } refusals: errors { code field message } } }"""
_RESPOND = """mutation Respond($id: ID!, $input: ActionRespondInput!) { actionRespond(id: $id, input: $input) {
  action { id status minutesSpent } refusals: errors { code field message } } }"""
_SUBMIT = """mutation Submit($input: EvidenceSubmitInput!) { evidenceSubmit(input: $input) {
  evidence { id status } refusals: errors { code field message } } }"""
_ASSESS = """mutation Assess($id: ID!, $input: EvidenceAssessInput!) { evidenceAssess(id: $id, input: $input) {
  evidence { id status } refusals: errors { code field message } } }"""


@dataclass(frozen=True, slots=True)
class Writer:
    """A signed-in learner and their assessor, with the keys of an open action, an aim, its criteria and evidence."""

    token: str
    provider: int
    learner: int
    action: int
    user: int = 0
    aim: int = 0
    assessor_token: str = ""
    criteria: tuple[int, ...] = field(default=(), repr=False)
    evidence: tuple[int, ...] = field(default=(), repr=False)


class _Made(NamedTuple):
    """One request: Waymark's variables, and LIMIT's body."""

    token: str
    variables: dict[str, Any]
    by_hand: dict[str, Any]


class Mutation(NamedTuple):
    """One mutation: its operation, LIMIT's path, and what makes a request of a writer, a number and a file's key."""

    operation: str
    text: str
    path: str
    make: Callable[[random.Random, Writer, int, int], _Made]
    # Whether each request needs an upload of its own.
    uploads: bool = False


def _time_log_entry(choose: random.Random, writer: Writer, number: int, file: int) -> _Made:
    day = (clock.today() - dt.timedelta(days=choose.randint(0, DAYS))).isoformat()
    words = {"date": day, "minutes": choose.randint(1, 5), "comments": f"Bench {number}"}
    graph = {"learnerId": f"Learner_{writer.learner}", "activityType": "TRAINER_LED_TRAINING", **words}
    by_hand = {"learner": writer.learner, "activity": "TRAINER_LED_TRAINING", **words}
    return _Made(writer.token, {"input": graph}, by_hand)


def _response(choose: random.Random, writer: Writer, number: int, file: int) -> _Made:
    feedback, minutes = f"Bench {number}", choose.randint(1, 5)
    graph = {"id": f"Action_{writer.action}", "input": {"learnerFeedback": feedback, "minutesSpent": minutes}}
    return _Made(writer.token, graph, {"action": writer.action, "feedback": feedback, "minutes": minutes})


def _submission(choose: random.Random, writer: Writer, number: int, file: int) -> _Made:
    words = {"title": f"Bench {number}", "description": "What a bench submits.", "password": PASSWORD}
    graph = {"aimId": f"Aim_{writer.aim}", "fileId": f"File_{file}", "declareOwnWork": True, **words}
    return _Made(writer.token, {"input": graph}, {"aim": writer.aim, "file": file, "ownWork": True, **words})


def _assessment(choose: random.Random, writer: Writer, number: int, file: int) -> _Made:
    evidence, feedback = choose.choice(writer.evidence), f"Bench {number}"
    criteria = choose.sample(writer.criteria[:_CRITERIA], _ASSESSED)
    mappings = [{"criterionId": f"Criterion_{writer.aim}.{key}", "signOff": True} for key in criteria]
    graph = {"mappings": mappings, "assessmentMethods": ["OBSERVATION"], "feedback": feedback}
    by_hand = {"evidence": evidence, "criteria": criteria, "feedback": feedback}
    return _Made(writer.assessor_token, {"id": f"Evidence_{evidence}", "input": graph}, by_hand)


MUTATIONS = {
    "timeLogEntryAdd": Mutation("Add", _ENTRY, "/time-log", _time_log_entry),
    "actionRespond": Mutation("Respond", _RESPOND, "/respond", _response),
    "evidenceSubmit": Mutation("Submit", _SUBMIT, "/submit", _submission, uploads=True),
    "evidenceAssess": Mutation("Assess", _ASSESS, "/assess", _assessment),
}


async def requests_of(
    server: str, mutation: str, writers: Sequence[Writer], seed: int, url: str, most: int = REQUESTS
) -> list[bytes]:
    """Returns random requests, encoded for the server; adds the uploads that they need to the database at `url`."""
    choose, made = random.Random(f"{mutation}{seed}"), []
    sent = MUTATIONS[mutation]
    chosen = [choose.choice(writers) for _ in range(most)]
    files = await _uploads(url, chosen) if sent.uploads else [0] * most
    for number, (writer, file) in enumerate(zip(chosen, files, strict=True)):
        request = sent.make(choose, writer, number, file)
        if server == "LIMIT":
            made.append(_post(sent.path, request.by_hand, request.token))
        else:
            made.append(encode_post(sent.text, sent.operation, request.variables, request.token))
    return made


async def _uploads(url: str, writers: Sequence[Writer]) -> list[int]:
    """Adds an upload of each writer that no record uses, and returns their keys."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        found = await connection.fetch(
            """insert into file (provider_id, name, content_type, size, sha256, storage_key, uploaded_by_id,
                                 announced_at, uploaded_at)
               select p, 'bench.pdf', 'application/pdf', 1000, repeat('0', 64), 'bench', u, now(), now()
               from unnest($1::bigint[], $2::bigint[]) with ordinality as given (p, u, n) order by n returning id""",
            [writer.provider for writer in writers], [writer.user for writer in writers],
        )  # fmt: skip
        return [row["id"] for row in found]
    finally:
        await connection.close()


def _post(path: str, body: dict[str, object], token: str) -> bytes:
    sent = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(sent)}\r\n\r\n"
    )
    return head.encode() + sent

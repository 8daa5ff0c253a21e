"""Sends hostile values in every argument, and collects what a server must never answer or log."""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

import httpx2
from sqlalchemy import func, select

from db.database import Database
from db.models.aim import Aim
from db.models.qualification import QualificationCriterion, QualificationUnit
from db.models.registry import mapped_classes
from tests.system.fuzz.arguments import Target, targets
from tests.system.fuzz.hostile_values import MARK

NO_LIMITS = {
    "WAYMARK_LIMIT_BUDGET": "0", "WAYMARK_LIMIT_BUDGET_ANONYMOUS": "0", "WAYMARK_LIMIT_BUDGET_DOCUMENTS": "0",
}  # fmt: skip


# How long a stream that opens is listened to.
OPEN_SECONDS = 0.2


async def known_ids(url: str) -> dict[str, str]:
    """The id of the first record of each type."""
    database = Database(url)
    try:
        ids = {}
        for entity in mapped_classes():
            if entity.__entity__ is not None:
                (row,) = await database.rows(select(func.min(entity.__table__.c.id).label("key")))
                ids[entity.__entity__.type_name] = f"{entity.__entity__.type_name}_{row.key or 1}"
        for entity in (QualificationUnit, QualificationCriterion):
            of_aim = select(Aim.id, entity.id.label("key")).join(Aim, Aim.qualification_id == entity.qualification_id)
            pair = (await database.rows(of_aim.order_by(Aim.id, entity.id).limit(1)))[0]
            name = entity.__name__.removeprefix("Qualification")
            ids[name] = f"{name}_{pair.id}.{pair.key}"
        return ids
    finally:
        await database.close()


class Fuzzer:
    """Calls one server. `every`: of the values for each argument, every so-manyeth is sent, another one for each."""

    def __init__(self, client: httpx2.AsyncClient, ids: dict[str, str], every: int = 1) -> None:
        self._client = client
        self._targets = targets(ids)
        self._every = every
        self.sent = 0
        self.problems: list[str] = []

    async def run(self, only: Iterable[str] | None = None) -> None:
        """Fuzzes all fields, or those with these names."""
        for number, target in enumerate(self._targets):
            if only is None or target.name.partition(".")[2] in only:
                for place, variables in self._chosen(target, number):
                    await self._call(target, place, variables)

    def _chosen(self, target: Target, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from islice(target.calls(), number % self._every, None, self._every)
        yield from islice(target.unknown_fields(), 0, None, 1 + self._every // 40)

    async def _call(self, target: Target, place: str, variables: dict[str, Any]) -> None:
        self.sent += 1
        body = json.dumps({"query": target.document, "variables": variables})
        is_subscription = target.document.startswith("subscription")
        headers = {"content-type": "application/json", "accept": "text/event-stream" if is_subscription else "*/*"}
        async with self._client.stream("POST", "/graphql", content=body, headers=headers) as answer:
            text = await _read(answer, OPEN_SECONDS if is_subscription else None)
        if found := problem(answer.status_code, text):
            self.problems.append(f"{target.name} {place}: {found}")


async def _read(answer: httpx2.Response, seconds: float | None) -> str:
    """Reads an answer to its end, or for so long."""
    text = ""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for part in answer.aiter_text():
                text += part
    return text


def refused_guess(what: str, status: int) -> bool:
    """Whether it is the refusal of one more guess at the link of a guest, of whom few are allowed in five minutes."""
    return status == 429 and "/sign" in what


def problem(status: int, text: str) -> str | None:
    """What is wrong with an answer: a status of 500 or more or of a limit, the code INTERNAL, or the mark."""
    if status >= 500 or status == 429 or '"INTERNAL"' in text:
        return f"{status} {text[:200]}"
    # The name of an unknown input field is no value: a developer looks for it.
    values = re.sub(r"unknown field '(?:[^\"\\]|\\.)*", "", text)
    return f"repeats what was sent: {text[:300]}" if MARK in values else None

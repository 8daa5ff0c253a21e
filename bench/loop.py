"""Finds what holds up the event loop for 20 ms: runs everything that a server does, and reads what its log says.

`scripts/bench --loop` runs it on the database of `--beside`: every saved query in each role, the four mutations of
`--writes`, a sign-in, an upload of 20 MB, exports of 20,000 rows and of 1,000 criteria, and a bulk export. Each is sent
alone, and twice where it can be: the first one also finds what is done once. On a busy machine the process waits for a
core too; such delays have no place in the code.
"""

import argparse
import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg

from bench.cohort import Viewer, create_sessions
from bench.connection import Connection
from bench.measure import Cores
from bench.mixed_load import add_long_lists, links_of, usernames
from bench.postgres import Postgres
from bench.screens import ROOT
from bench.servers import KEY, Server, encode_post, waymark
from bench.write_requests import MUTATIONS, Writer, requests_of
from bench.writes import prepare
from domain.enums import Role
from queries.operations import saved_operations
from services.demo.accounts import PASSWORD

LIMIT_MILLISECONDS = 20
_UPLOADED_BYTES = 20_000_000
_YEAR = {"since": "2026-01-01", "until": "2026-10-31"}
_VARIABLES: dict[str, dict[str, Any]] = {
    "assessor_workload": _YEAR, "employer_visits": {"startsFrom": "2026-01-01T09:00:00Z"}, "kpi_history": _YEAR,
    "outcomes": {"endedFrom": "2000-01-01", "endedTo": "2036-01-01"}, "turnaround": _YEAR,
}  # fmt: skip
_OF_LEARNER = ("employer_learner", "employer_portfolio", "learning_plan", "progress_map", "time_log")
_RECORDS = {
    "evidence_to_read": ("evidenceId", "Evidence", "evidence"),
    "document_to_sign": ("id", "SignatureRequest", "signature_request"),
    "review_to_read": ("reviewId", "Review", "review"),
}
_UPLOAD = """mutation Upload($input: FileUploadInput!) { fileUploadCreate(input: $input) {
  upload { fileId url headers { name value } } errors { code } } }"""
_BULK = """mutation Bulk($operation: String!) { bulkExportStart(operation: $operation, format: PARQUET) {
  bulkExport { id } errors { code } } }"""


async def _variables(url: str, viewer: Viewer) -> dict[str, dict[str, Any]]:
    """Returns the variables of the saved queries by name, with records of a learner of the viewer."""
    found = dict(_VARIABLES)
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    learner = viewer.learners[0]
    for name, (variable, entity, table) in _RECORDS.items():
        key = await connection.fetchval(f"select min(id) from {table} where learner_id = $1", learner)
        found[name] = {variable: f"{entity}_{key or 1}"}
    unit = await connection.fetchrow(
        """select a.id, u.id as unit from aim a join qualification_unit u on u.qualification_id = a.qualification_id
           where a.learner_id = $1 limit 1""",
        learner,
    )
    await connection.close()
    of_unit = {"unitId": f"Unit_{unit['id']}.{unit['unit']}"}
    found |= {name: {"learnerId": f"Learner_{learner}"} for name in _OF_LEARNER}
    return found | {
        "unit_record_sheet": of_unit,
        "unit_to_sign": of_unit,
        "record_ids": {"ids": [f"Learner_{learner}"]},
    }


async def _requests(server: Server, url: str, people: Sequence[Writer]) -> AsyncIterator[tuple[str, bytes]]:
    """Yields each request with its name."""
    exporting = people[:1]
    viewers = await create_sessions(url, {"bench": KEY}, 1, roles=tuple(Role))
    for viewer in viewers:
        variables = await _variables(url, viewer)
        for name, saved in saved_operations().items():
            if saved.is_query:
                definition_name = saved.definition.name
                operation = definition_name.value if definition_name else ""
                request = encode_post(saved.text, operation, variables.get(name, {}), viewer.token)
                yield f"{name} as {viewer.role.name}", request
    for mutation in MUTATIONS:
        for request in await requests_of("Waymark", mutation, people, 1, url, 2):
            yield mutation, request
    names = (await usernames(url, people[:2])).split()
    for username in names:
        sign_in = {"documentId": "sign_in", "variables": {"username": username, "password": PASSWORD}}
        yield "sign_in", _post(json.dumps(sign_in).encode())
    for name, links in zip(("time log", "progress map"), await links_of(server, exporting), strict=True):
        yield f"export of the {name}", f"GET {links} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    yield "upload of 20 MB", await _upload(server, people[0])
    admin = next(viewer for viewer in viewers if viewer.role is Role.MASTER_ADMIN)
    yield "bulk export", encode_post(_BULK, "Bulk", {"operation": "learner_criteria"}, admin.token)


async def _upload(server: Server, writer: Writer) -> bytes:
    connection = await Connection().open(server.port)
    announced = {"name": "bench.pdf", "contentType": "application/pdf", "size": _UPLOADED_BYTES}
    answer = await connection.answer(encode_post(_UPLOAD, "Upload", {"input": announced}, writer.token))
    connection.close()
    upload = json.loads(answer)["data"]["fileUploadCreate"]["upload"]
    headers = "".join(f"{each['name']}: {each['value']}\r\n" for each in upload["headers"])
    path = "/" + upload["url"].split("/", 3)[3]
    head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {_UPLOADED_BYTES}\r\n\r\n"
    content = b"%PDF-1.7\n"
    return head.encode() + content + b"0" * (_UPLOADED_BYTES - len(content) - 6) + b"%%EOF\n"


def _post(body: bytes) -> bytes:
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def _size(log: Path) -> int:
    return log.stat().st_size


def _stalls(log: Path, start: int) -> list[dict[str, Any]]:
    with log.open("rb") as lines:
        lines.seek(start)
        entries = [json.loads(line) for line in lines if line.startswith(b"{")]
    return [entry for entry in entries if entry["event"] == "event_loop_stalled"]


async def _run(server: Server, url: str, people: Sequence[Writer], log: Path) -> tuple[Counter[str], list[str]]:
    """Returns how many requests of each kind were sent, and a row of the table for each delay."""
    await add_long_lists(url, people[:1])
    sent: Counter[str] = Counter()
    rows = []
    requests = [each async for each in _requests(server, url, people)]
    connection = await Connection().open(server.port)
    for name, request in requests:
        for time in ("first", "again"):
            # A file is uploaded once, and a mutation answers a repetition otherwise.
            if time == "again" and name in {*MUTATIONS, "upload of 20 MB"}:
                continue
            start = _size(log)
            answer = await connection.answer(request)
            sent["refused" if b'"errors":[{' in answer[:100_000] else "answered"] += 1
            # The monitor records a delay after the loop has turned again.
            await asyncio.sleep(2.0 if name == "bulk export" else 0.03)
            rows += [
                f"| {name} | {time} | {stall['ms']} | {stall['gc_ms']} | {stall['where'] or '-'} |"
                for stall in _stalls(log, start)
            ]
    connection.close()
    return sent, rows


def main(arguments: argparse.Namespace, cores: Cores | None) -> int:
    """Runs the check and prints what held up the loop; returns the exit status."""
    folder = Path(os.environ.get("WAYMARK_BENCH_FOLDER") or ROOT / "var" / "bench")
    with ExitStack() as stack:
        postgres = stack.enter_context(Postgres(folder / "postgres-writes", durable=True))
        database, people = asyncio.run(prepare(postgres, folder / "files", "beside", providers=1))
        limit = {"WAYMARK_LOOP_MILLISECONDS": str(LIMIT_MILLISECONDS)}
        server = waymark(postgres, database, folder / "waymark-loop", name="Waymark-loop", **limit)
        stack.callback(server.stop)
        server.start(folder)
        sent, rows = asyncio.run(_run(server, postgres.url(database), people, folder / "waymark-loop.log"))
    print(f"{sent.total()} requests, of which {sent['refused']} were refused.", file=sys.stderr)
    print("| request | time | ms | of which garbage collection | where |\n|---|---|---|---|---|")
    print("\n".join(rows))
    print(f"\nDelays of {LIMIT_MILLISECONDS} ms or more: {len(rows)}.")
    return 0

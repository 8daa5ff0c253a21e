"""People who work without a pause, and a note of everything that the server told them was done.

What was answered with success is a promise. `check` holds the database and the store to it after the server was stopped
or killed: nothing that was promised is missing, and nothing is there by half.
"""

import asyncio
import hashlib
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import func, select

from db.database import Database
from db.models.evidence import Evidence, EvidenceSignature, EvidenceVersion
from db.models.file import File
from db.models.outbox import OutboxMail
from db.models.signature_request import SignatureRequest, SignatureSlot
from domain import global_id as ids
from domain.enums import EvidenceStatus
from services.audit.verify import find_problems
from services.mail.messages import SIGNATURE_REQUESTED
from services.storage.file_store import open_store
from tests.support.client import HttpClient
from tests.support.http_server import PASSWORD
from tests.support.server_process import ServerProcess

SUBMIT = (
    "mutation($input: EvidenceSubmitInput!) { evidenceSubmit(input: $input) { evidence { id title status "
    "signatures { role } } errors { code field message } } }"
)
CREATE = (
    "mutation($input: SignatureRequestCreateInput!) { signatureRequestCreate(input: $input) { signatureRequest { id "
    "document { sha256 } } errors { code field message } } }"
)
SIGN = (
    "mutation($id: ID!, $sha: String!, $password: String!) { signatureRequestSign(id: $id, documentSha256: $sha, "
    "password: $password) { signatureRequest { id slots { role signedAt } } errors { code field message } } }"
)


@dataclass
class Promised:
    """What was answered with success, and every answer that should not have been."""

    evidence: dict[str, str] = field(default_factory=dict)  # id -> SHA-256 of the file that was sent
    uploads: dict[str, str] = field(default_factory=dict)  # file id -> SHA-256
    signed: set[tuple[str, str]] = field(default_factory=set)  # (request id, role)
    wrong: list[str] = field(default_factory=list)
    unanswered: int = 0

    def count(self) -> int:
        return len(self.evidence) + len(self.uploads) + len(self.signed)


class Workers:
    """A learner who uploads and submits evidence, an assessor who asks for signatures, and both who sign."""

    def __init__(self, server: ServerProcess, promised: Promised) -> None:
        self._server = server
        self.promised = promised
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._number = promised.count()

    async def start(self) -> None:
        """Signs in, and sets to work."""
        ada = await self._stack.enter_async_context(self._server.signed_in("learner"))
        assessor = await self._stack.enter_async_context(self._server.signed_in("assessor"))
        found = await ada.data("{ viewer { learner { id aims { id status } } } }")
        learner = found["viewer"]["learner"]
        aim = next(one["id"] for one in learner["aims"] if one["status"] == "IN_TRAINING")
        for work in (self._submit(ada, aim), self._submit(ada, aim), self._papers(assessor, ada, learner["id"])):
            self._tasks.append(asyncio.create_task(self._until_gone(work)))

    async def stop(self) -> None:
        """Returns once nobody waits for an answer any more."""
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def finished(self) -> None:
        """Waits until the server has gone for all of them."""
        await asyncio.gather(*self._tasks)
        await self._stack.aclose()

    async def _until_gone(self, work: Any) -> None:
        try:
            await work
        except httpx2.TransportError:
            # No answer, no promise: what was asked for may or may not have been done, but not by half.
            self.promised.unanswered += 1

    async def _ask(self, person: HttpClient, query: str, **variables: Any) -> dict[str, Any]:
        response = await person.post(query, **variables)
        answer = response.json()
        if response.status_code != 200 or "errors" in answer:
            self.promised.wrong.append(f"{response.status_code} {response.text[:300]}")
            raise httpx2.TransportError("not served")
        (payload,) = answer["data"].values()
        if payload["errors"]:
            self.promised.wrong.append(str(payload["errors"]))
        return payload

    async def _upload(self, person: HttpClient, name: str, content: bytes) -> tuple[str, str]:
        made = await self._ask(
            person,
            "mutation($input: FileUploadInput!) { fileUploadCreate(input: $input) { upload { fileId url headers { name "
            "value } } errors { code message } } }",
            input={"name": name, "contentType": "text/plain", "size": len(content)},
        )
        upload, sha256 = made["upload"], hashlib.sha256(content).hexdigest()
        sent = await person.http.put(upload["url"], content=content)
        if sent.status_code not in (200, 201) or sent.json()["sha256"] != sha256:
            self.promised.wrong.append(f"upload: {sent.status_code} {sent.text[:300]}")
        self.promised.uploads[upload["fileId"]] = sha256
        return upload["fileId"], sha256

    def _content(self) -> tuple[int, bytes]:
        self._number += 1
        return self._number, f"work {self._number}\n".encode() * 20_000

    async def _submit(self, ada: HttpClient, aim: str) -> None:
        while True:
            number, content = self._content()
            file_id, sha256 = await self._upload(ada, f"work {number}.txt", content)
            done = await self._ask(ada, SUBMIT, input={
                "aimId": aim, "fileId": file_id, "title": f"Work {number}", "description": "How",
                "declareOwnWork": True, "password": PASSWORD,
            })  # fmt: skip
            if (evidence := done["evidence"]) is not None:
                self.promised.evidence[evidence["id"]] = sha256

    async def _papers(self, assessor: HttpClient, ada: HttpClient, learner: str) -> None:
        while True:
            number, content = self._content()
            file_id, sha256 = await self._upload(assessor, f"paper {number}.txt", content[:1000])
            made = await self._ask(assessor, CREATE, input={
                "learnerId": learner, "title": f"Paper {number}", "fileId": file_id, "roles": ["LEARNER", "ASSESSOR"],
            })  # fmt: skip
            request = made["signatureRequest"]["id"]
            for person, role in ((ada, "LEARNER"), (assessor, "ASSESSOR")):
                await self._ask(person, SIGN, id=request, sha=sha256, password=PASSWORD)
                self.promised.signed.add((request, role))


async def check(database_url: str, folder: Path, promised: Promised) -> list[str]:
    """What of the promises is not kept, and what is there by half; nothing where all is well."""
    database, store = Database(database_url), open_store(folder / "files")
    said = list(promised.wrong)
    try:
        said += [line async for line in find_problems(database, store)]
        async with database.snapshot() as session:
            files = {row.id: row for row in await session.scalars(select(File))}
            evidence = {row.id: row for row in await session.scalars(select(Evidence))}
            slots = {
                (slot.request_id, slot.role.value): slot.signed_at is not None
                for slot in await session.scalars(select(SignatureSlot))
            }
            versions = Counter(await session.scalars(select(EvidenceVersion.evidence_id)))
            signatures = Counter(await session.scalars(select(EvidenceSignature.evidence_id)))
            mails = await session.scalar(select(func.count()).where(OutboxMail.kind == SIGNATURE_REQUESTED))
            papers = await session.scalar(select(func.count()).where(SignatureRequest.title.like("Paper %")))
    finally:
        await database.close()
    for id, sha256 in promised.uploads.items():
        file = files.get(ids.decode("File", id) or 0)
        if file is None or file.uploaded_at is None or file.sha256 != sha256:
            said.append(f"{id}: its upload was acknowledged, and is not there")
    for id, sha256 in promised.evidence.items():
        one = evidence.get(ids.decode("Evidence", id) or 0)
        if one is None or files[one.file_id].sha256 != sha256:
            said.append(f"{id}: it was acknowledged, and is not there")
    for id, role in promised.signed:
        if not slots.get((ids.decode("SignatureRequest", id) or 0, role)):
            said.append(f"{id}: the signature of {role} was acknowledged, and is not there")
    for key, one in evidence.items():
        if not versions[key] or (one.status is EvidenceStatus.SUBMITTED and not signatures[key]):
            said.append(f"Evidence_{key}: submitted by half")
        if files[one.file_id].learner_id != one.learner_id:
            said.append(f"Evidence_{key}: its file is not bound to it")
    if mails != papers:
        # In one transaction with the request: the learner is told of each.
        said.append(f"{papers} documents to sign, and {mails} e-mails about them")
    return said

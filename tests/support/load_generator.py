"""Users who send requests without a pause, and a record of every write that the server acknowledged.

`find_losses` compares the database and the file store with the acknowledged writes after the server was stopped or
killed: none may be missing, and no write may be partial.
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
class Acknowledged:
    """The writes that the server acknowledged, and the responses that are wrong."""

    evidence: dict[str, str] = field(default_factory=dict)  # id -> SHA-256 of the file that was sent
    uploads: dict[str, str] = field(default_factory=dict)  # file id -> SHA-256
    signed: set[tuple[str, str]] = field(default_factory=set)  # (request id, role)
    wrong: list[str] = field(default_factory=list)
    unanswered: int = 0

    def count(self) -> int:
        return len(self.evidence) + len(self.uploads) + len(self.signed)


class LoadGenerator:
    """A learner who uploads and submits evidence, an assessor who requests signatures; both sign."""

    def __init__(self, server: ServerProcess, acknowledged: Acknowledged) -> None:
        self._server = server
        self.acknowledged = acknowledged
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._number = acknowledged.count()

    async def start(self) -> None:
        """Signs the users in and starts the requests."""
        ada = await self._stack.enter_async_context(self._server.signed_in("learner"))
        assessor = await self._stack.enter_async_context(self._server.signed_in("assessor"))
        found = await ada.data("{ viewer { learner { id aims { id status } } } }")
        learner = found["viewer"]["learner"]
        aim = next(one["id"] for one in learner["aims"] if one["status"] == "IN_TRAINING")
        for work in (
            self._submit(ada, aim),
            self._submit(ada, aim),
            self._sign_documents(assessor, ada, learner["id"]),
        ):
            self._tasks.append(asyncio.create_task(self._until_disconnected(work)))

    async def stop(self) -> None:
        """Cancels the requests and returns when none runs."""
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def finished(self) -> None:
        """Waits until the server has closed every connection."""
        await asyncio.gather(*self._tasks)
        await self._stack.aclose()

    async def _until_disconnected(self, work: Any) -> None:
        try:
            await work
        except httpx2.TransportError:
            # Without a response the write may be there or not, but not in part.
            self.acknowledged.unanswered += 1

    async def _send(self, person: HttpClient, query: str, **variables: Any) -> dict[str, Any]:
        response = await person.post(query, **variables)
        answer = response.json()
        if response.status_code != 200 or "errors" in answer:
            self.acknowledged.wrong.append(f"{response.status_code} {response.text[:300]}")
            raise httpx2.TransportError("not served")
        (payload,) = answer["data"].values()
        if payload["errors"]:
            self.acknowledged.wrong.append(str(payload["errors"]))
        return payload

    async def _upload(self, person: HttpClient, name: str, content: bytes) -> tuple[str, str]:
        made = await self._send(
            person,
            "mutation($input: FileUploadInput!) { fileUploadCreate(input: $input) { upload { fileId url headers { name "
            "value } } errors { code message } } }",
            input={"name": name, "contentType": "text/plain", "size": len(content)},
        )
        upload, sha256 = made["upload"], hashlib.sha256(content).hexdigest()
        sent = await person.http.put(upload["url"], content=content)
        if sent.status_code not in (200, 201) or sent.json()["sha256"] != sha256:
            self.acknowledged.wrong.append(f"upload: {sent.status_code} {sent.text[:300]}")
        self.acknowledged.uploads[upload["fileId"]] = sha256
        return upload["fileId"], sha256

    def _content(self) -> tuple[int, bytes]:
        self._number += 1
        return self._number, f"work {self._number}\n".encode() * 20_000

    async def _submit(self, ada: HttpClient, aim: str) -> None:
        while True:
            number, content = self._content()
            file_id, sha256 = await self._upload(ada, f"work {number}.txt", content)
            done = await self._send(ada, SUBMIT, input={
                "aimId": aim, "fileId": file_id, "title": f"Work {number}", "description": "How",
                "declareOwnWork": True, "password": PASSWORD,
            })  # fmt: skip
            if (evidence := done["evidence"]) is not None:
                self.acknowledged.evidence[evidence["id"]] = sha256

    async def _sign_documents(self, assessor: HttpClient, ada: HttpClient, learner: str) -> None:
        while True:
            number, content = self._content()
            file_id, sha256 = await self._upload(assessor, f"document {number}.txt", content[:1000])
            made = await self._send(assessor, CREATE, input={
                "learnerId": learner, "title": f"Document {number}", "fileId": file_id,
                "roles": ["LEARNER", "ASSESSOR"],
            })  # fmt: skip
            request = made["signatureRequest"]["id"]
            for person, role in ((ada, "LEARNER"), (assessor, "ASSESSOR")):
                await self._send(person, SIGN, id=request, sha=sha256, password=PASSWORD)
                self.acknowledged.signed.add((request, role))


async def find_losses(database_url: str, folder: Path, acknowledged: Acknowledged) -> list[str]:
    """Returns one line for each acknowledged write that is missing and for each partial write."""
    database, store = Database(database_url), open_store(folder / "files")
    problems = list(acknowledged.wrong)
    try:
        problems += [line async for line in find_problems(database, store)]
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
            documents = await session.scalar(select(func.count()).where(SignatureRequest.title.like("Document %")))
    finally:
        await database.close()
    for id, sha256 in acknowledged.uploads.items():
        file = files.get(ids.decode("File", id) or 0)
        if file is None or file.uploaded_at is None or file.sha256 != sha256:
            problems.append(f"{id}: its upload was acknowledged and is missing")
    for id, sha256 in acknowledged.evidence.items():
        one = evidence.get(ids.decode("Evidence", id) or 0)
        if one is None or files[one.file_id].sha256 != sha256:
            problems.append(f"{id}: it was acknowledged and is missing")
    for id, role in acknowledged.signed:
        if not slots.get((ids.decode("SignatureRequest", id) or 0, role)):
            problems.append(f"{id}: the signature of {role} was acknowledged and is missing")
    for key, one in evidence.items():
        if not versions[key] or (one.status is EvidenceStatus.SUBMITTED and not signatures[key]):
            problems.append(f"Evidence_{key}: partly submitted")
        if files[one.file_id].learner_id != one.learner_id:
            problems.append(f"Evidence_{key}: its file has another learner")
    if mails != documents:
        # Each document writes one e-mail to the learner in its transaction.
        problems.append(f"{documents} documents to sign, and {mails} e-mails about them")
    return problems

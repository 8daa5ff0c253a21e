"""`server.py verify`: what is changed of the trail, sums, signatures or files behind the server is found."""

import datetime as dt
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Table, delete, select, text, update

from db.database import Database
from db.models.base import UtcDateTime
from db.models.registry import (
    AimProgress,
    AuditEvent,
    CriterionProgress,
    Evidence,
    EvidenceSignature,
    EvidenceVersion,
    File,
    Learner,
    Provider,
    SignatureRequest,
    SignatureSlot,
    UnitSignature,
    User,
)
from domain import clock
from domain import global_id as ids
from domain.enums import AssessmentMethod, Role
from resolvers import evidence, evidence_assessment, signature_request, unit
from services.audit.chain import audit_chain_problems
from services.audit.signature_check import signature_problems
from services.audit.verify import faults, problems_in
from services.storage.file_store import open_store
from tests.support.databases import Databases
from tests.support.scenarios import PASSWORD, Stage, set_stage


async def chunks(content: bytes) -> Any:
    yield content


async def upload(stage: Stage, who: str, content: bytes) -> str:
    """A file with its bytes."""
    stored = await stage.services.files.write(chunks(content), limit=1000)
    return await stage.upload(who, storage_key=stored.storage_key, sha256=stored.sha256, size=stored.size)


async def submit(stage: Stage, title: str) -> str:
    key = await evidence.submit(
        stage.at("learner"), aim_id=stage.aim, file_id=await upload(stage, "learner", title.encode()), title=title,
        description="How", declare_own_work=True, password=PASSWORD,
    )  # fmt: skip
    return ids.encode("Evidence", key)


async def assess(stage: Stage, id: str, *criteria: str) -> None:
    mappings = [{"criterion_id": criterion, "sign_off": True} for criterion in criteria]
    await evidence_assessment.assess(
        stage.at("assessor"), id=id, mappings=mappings, assessment_methods=[AssessmentMethod.PRODUCT]
    )


class _TakenBack(Exception):
    """Ends a transaction whose changes are not to stay."""


@pytest.fixture(scope="session")
def stage_folder(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(f"verify-{backend}")


@pytest.fixture(scope="session")
async def stage(databases: Databases, backend: str, stage_folder: Path) -> AsyncIterator[Stage]:
    """A portfolio with signatures of every kind, one of them taken back. What a test breaks, it takes back."""
    database = Database(await databases.fresh(backend))
    yield await _filled(await set_stage(database, stage_folder))
    await database.close()


async def _filled(stage: Stage) -> Stage:
    first = await submit(stage, "A wheel")
    await evidence.sign(stage.at("assessor"), id=first, password=PASSWORD)
    await assess(stage, first, *stage.criteria)
    for number, who in ((0, "assessor"), (0, "iqa"), (1, "assessor")):
        await unit.sign(stage.at(who), id=stage.units[number], password=PASSWORD)
    await assess(stage, await submit(stage, "Another wheel"), stage.criteria[2])
    document = await upload(stage, "assessor", b"%PDF-1.7")
    request = await signature_request.create(
        stage.at("assessor"),
        learner_id=stage.ada,
        title="Review",
        file_id=document,
        roles=[Role.LEARNER, Role.ASSESSOR],
    )
    await signature_request.sign(
        stage.at("learner"), id=ids.encode("SignatureRequest", request),
        document_sha256=(await stage.file(document)).sha256, password=PASSWORD,
    )  # fmt: skip
    return stage


async def found(stage: Stage) -> list[str]:
    return [sentence async for sentence in faults(stage.database, stage.services.files)]


async def test_what_was_left_alone_is_whole(stage: Stage) -> None:
    taken_back = [signature.withdrawn_at is not None for signature in await stage.rows(UnitSignature)]
    assert taken_back == [False, False, True]
    assert await found(stage) == []


def another(table: Table, name: str, value: Any) -> Any:
    """A value of the same type, as near as can be."""
    if isinstance(table.columns[name].type, JSON):
        return {**(value or {}), "more": 1}
    match value:
        case None if isinstance(table.columns[name].type, UtcDateTime):
            return clock.now()
        case None:
            return 1 if "INT" in str(table.columns[name].type) else "x"
        case bool():
            return not value
        case int():
            return value + 1000
        case Role():
            return Role.EMPLOYER_MANAGER
        case dt.datetime():
            return value + dt.timedelta(microseconds=1)
        case str():
            return value[:-1] + chr(ord(value[-1]) ^ 1)
    raise TypeError(f"{name}: {value!r}")


# What names a row is not what it says; why a signature was taken back is for people, and follows from the trail.
_NOT_SIGNED = {"id", "withdrawn_reason"}


@pytest.mark.parametrize("entity", [AuditEvent, EvidenceSignature, SignatureSlot, UnitSignature])
async def test_every_column_of_the_trail_and_of_signatures_is_held(stage: Stage, entity: Any) -> None:
    table = entity.__table__
    rows = [row for row in await stage.rows(entity) if getattr(row, "signed_at", True)]
    async with stage.database.writing() as session:
        # Whoever writes to the tables directly is not held up by foreign keys either.
        unheld = (
            "PRAGMA defer_foreign_keys = ON"
            if stage.database.is_sqlite
            else "set local session_replication_role = replica"
        )
        await session.execute(text(unheld))
        for name in [column.key for column in table.columns if column.key not in _NOT_SIGNED]:
            before = {row.id: getattr(row, name) for row in rows[:2]}
            for key, value in before.items():
                changed = another(table, name, value)
                # Written and taken back again in one transaction, read from it in between.
                await session.execute(update(table).where(table.c.id == key).values({name: changed}))
                assert await _found_in(session), f"{table.name}.{name} of row {key}"
                await session.execute(update(table).where(table.c.id == key).values({name: before[key]}))
        assert await _found_in(session) == []


async def _found_in(session: Any) -> list[str]:
    session.expire_all()
    lines = [sentence async for sentence in audit_chain_problems(session)]
    return lines + [sentence async for sentence in signature_problems(session)]


BROKEN = {
    "a line is gone": (delete(AuditEvent).where(AuditEvent.sequence == 3), "line 3 is missing before line 4"),
    "the last line is gone": (
        delete(AuditEvent).where(AuditEvent.sequence == select(AuditEvent.sequence.label("s")).order_by(
            AuditEvent.sequence.desc()).limit(1).scalar_subquery()),
        "the trail should end at line",
    ),
    "the end is another": (update(Provider).values(audit_hash="0" * 64), "the trail should end at line"),
    "a sum": (update(AimProgress).values(criteria_mapped=1), "counted 3 criteria, 3 mapped"),
    "a criterion": (
        update(CriterionProgress).where(CriterionProgress.evidence_count == 2).values(evidence_count=3),
        "stored 3 evidence, counted 2",
    ),
    "a criterion's sign-off": (update(CriterionProgress).values(signed_off=False), "the words or the criteria"),
    "evidence's title": (update(Evidence).values(title="A whee1"), "the words are not those that were signed"),
    "a version is gone": (delete(EvidenceVersion).where(EvidenceVersion.number == 1), "version 1 is not there"),
    "a file's digest": (update(File).values(sha256="1" * 64), "the file is not the one that was signed"),
    "a document's title": (update(SignatureRequest).values(title="Reviev"), "the words are not those that were signed"),
    "a document's digest": (
        update(SignatureRequest).values(document_sha256="1" * 64), "the document is not the one that was to be signed"
    ),
    "evidence's signature is gone": (delete(EvidenceSignature), "there is no such signature"),
    "a document's signature is gone": (
        update(SignatureSlot).values(signed_at=None, signed_by_id=None), "there is no such signature"
    ),
    "a unit's signature is gone": (delete(UnitSignature), "a unit of aim"),
    "a signature that was taken back stands again": (
        update(UnitSignature).values(withdrawn_at=None), "the words or the criteria are not those"
    ),
    "a file's size": (update(File).values(size=File.size + 1), "its bytes are not those that were uploaded"),
    "a file's place": (update(File).values(storage_key=None), "its bytes are not in the store"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
async def test_what_was_broken_is_named(stage: Stage, what: str) -> None:
    statement, sentence = BROKEN[what]
    with suppress(_TakenBack):
        async with stage.database.writing() as session:
            await session.execute(statement.execution_options(synchronize_session=False))
            said = [line async for line in problems_in(session, stage.services.files)]
            raise _TakenBack
    assert any(sentence in line for line in said), said


async def test_a_signature_that_nobody_gave_is_found(stage: Stage) -> None:
    ada = (await stage.rows(Learner))[0]
    manager = stage.user("manager")
    with suppress(_TakenBack):
        async with stage.database.writing() as session:
            signature = (await session.scalars(select(EvidenceSignature).limit(1))).one()
            session.add(
                EvidenceSignature(
                    provider_id=ada.provider_id, learner_id=ada.id, evidence_id=signature.evidence_id, version_number=1,
                    role=Role.EMPLOYER_MANAGER, signed_by_id=manager.id, signed_at=signature.signed_at,
                    statement=signature.statement, file_sha256=signature.file_sha256,
                )
            )  # fmt: skip
            await session.flush()
            (said,) = [line async for line in problems_in(session, stage.services.files)]
            raise _TakenBack
    assert "the audit trail has no line of it" in said


async def test_one_changed_byte_of_a_file_is_found(stage: Stage, stage_folder: Path, tmp_path: Path) -> None:
    file = (await stage.rows(File, File.storage_key.is_not(None)))[0]
    # A copy of the store, so that the other tests' stays whole.
    path = tmp_path / "files" / file.storage_key
    shutil.copytree(stage_folder / "files", tmp_path / "files")
    store, content = open_store(tmp_path / "files"), bytearray(path.read_bytes())

    async def damaged() -> list[str]:
        return [sentence async for sentence in faults(stage.database, store)]

    assert await damaged() == []
    content[-1] ^= 1
    path.write_bytes(content)
    assert await damaged() == [f"file {file.id}: its bytes are not those that were uploaded"]
    path.unlink()
    assert await damaged() == [f"file {file.id}: its bytes are not in the store"]


async def test_a_name_that_changes_leaves_signatures_as_they_were(stage: Stage) -> None:
    """The words that were signed stay; who is called otherwise today has signed them all the same."""
    async with stage.database.writing() as session:
        (await session.get_one(User, stage.user("learner").id)).name = "Ada Byron"
    assert await found(stage) == []

"""`server.py verify` finds every change of the audit trail, sums, signatures and files that the server did not make."""

import datetime as dt
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Table, delete, func, select, update

from db.models.aim import AimProgress
from db.models.audit_event import AuditEvent
from db.models.base import UtcDateTime
from db.models.criterion_progress import CriterionProgress
from db.models.evidence import Evidence, EvidenceMapping, EvidenceSignature, EvidenceVersion
from db.models.file import File
from db.models.learner import Learner
from db.models.provider import Provider
from db.models.signature_request import SignatureRequest, SignatureSlot
from db.models.unit_signature import UnitSignature
from db.models.user import User
from domain import clock
from domain import global_id as ids
from domain.enums import AssessmentMethod, Role
from resolvers import signature_request, unit
from resolvers.evidence import assessment, submission
from services.audit import batches, chain, file_check, verify
from services.audit.batches import problems_in
from services.audit.chain import audit_chain_problems
from services.audit.signature_check import signature_problems
from services.audit.verify import find_problems
from services.storage.file_store import open_store
from tests.support.databases import Databases
from tests.support.scenarios.base import PASSWORD, open_scenario
from tests.support.scenarios.empty_portfolio import EmptyPortfolio, build_empty_portfolio
from tests.support.unchecked_references import unchecked_references


async def chunks(content: bytes) -> Any:
    yield content


async def upload(scenario: EmptyPortfolio, who: str, content: bytes) -> str:
    """An uploaded file, with its bytes in the store."""
    stored = await scenario.services.files.write(chunks(content), limit=1000)
    return await scenario.upload(who, storage_key=stored.storage_key, sha256=stored.sha256, size=stored.size)


async def submit(scenario: EmptyPortfolio, title: str) -> str:
    file_id = await upload(scenario, "learner", title.encode())
    key = await submission.submit(
        scenario.context("learner"), aim_id=scenario.aim, file_id=file_id, title=title, description="How",
        declare_own_work=True, password=PASSWORD,
    )  # fmt: skip
    return ids.encode("Evidence", key)


async def assess(scenario: EmptyPortfolio, id: str, *criteria: str) -> None:
    mappings = [{"criterion_id": criterion, "sign_off": True} for criterion in criteria]
    await assessment.assess(
        scenario.context("assessor"), id=id, mappings=mappings, assessment_methods=[AssessmentMethod.PRODUCT]
    )


class _Rollback(Exception):
    """Rolls a transaction back."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every batch two rows, so that what is compared lies in different batches."""
    for module in (chain, batches):
        monkeypatch.setattr(module, "BATCH_ROWS", 2)
    monkeypatch.setattr(file_check, "_FILES", 2)


@pytest.fixture(scope="session")
def folder(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(f"verify-{backend}")


@pytest.fixture(scope="session")
async def scenario(databases: Databases, backend: str, folder: Path) -> AsyncIterator[EmptyPortfolio]:
    """A portfolio with signatures of every kind, one of them withdrawn. Tests roll their changes back."""
    async with open_scenario(databases, backend, build_empty_portfolio, folder) as scenario:
        await _filled(scenario)
        await scenario.seal_audit_trail()
        yield scenario


async def _filled(scenario: EmptyPortfolio) -> None:
    first = await submit(scenario, "A wheel")
    await submission.sign(scenario.context("assessor"), id=first, password=PASSWORD)
    await assess(scenario, first, *scenario.criteria)
    for number, who in ((0, "assessor"), (0, "iqa"), (1, "assessor")):
        await unit.sign(scenario.context(who), id=scenario.units[number], password=PASSWORD)
    await assess(scenario, await submit(scenario, "Another wheel"), scenario.criteria[2])
    document = await upload(scenario, "assessor", b"%PDF-1.7")
    request = await signature_request.create(
        scenario.context("assessor"),
        learner_id=scenario.ada,
        title="Review",
        file_id=document,
        roles=[Role.LEARNER, Role.ASSESSOR],
    )
    await signature_request.sign(
        scenario.context("learner"), id=ids.encode("SignatureRequest", request),
        document_sha256=(await scenario.file(document)).sha256, password=PASSWORD,
    )  # fmt: skip


async def problems_of(scenario: EmptyPortfolio) -> list[str]:
    return [problem async for problem in find_problems(scenario.database, scenario.services.files)]


async def test_an_unchanged_portfolio_has_no_problems(scenario: EmptyPortfolio) -> None:
    withdrawn = [signature.withdrawn_at is not None for signature in await scenario.rows(UnitSignature)]
    assert withdrawn == [False, False, True]
    assert await problems_of(scenario) == []


def another(table: Table, name: str, value: Any) -> Any:
    """A different value of the same type, as similar as possible."""
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


# The key of a row is not signed. The reason of a withdrawal is for people; the trail holds the withdrawal itself.
_NOT_CHECKED = {"id", "withdrawn_reason"}


@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.long)])
@pytest.mark.parametrize("entity", [AuditEvent, EvidenceSignature, SignatureSlot, UnitSignature])
async def test_a_change_of_any_column_of_the_trail_or_of_a_signature_is_found(
    scenario: EmptyPortfolio, entity: Any, number: int
) -> None:
    """In each of the first `number` rows."""
    table = entity.__table__
    rows = [row for row in await scenario.rows(entity) if getattr(row, "signed_at", True)]
    # An attacker with access to the tables can switch foreign keys off, too.
    async with unchecked_references(scenario.database) as session:
        for name in [column.key for column in table.columns if column.key not in _NOT_CHECKED]:
            before = {row.id: getattr(row, name) for row in rows[:number]}
            for key, value in before.items():
                changed = another(table, name, value)
                # Changed, checked and changed back in one transaction.
                await session.execute(update(table).where(table.c.id == key).values({name: changed}))
                assert await _problems_in(session), f"{table.name}.{name} of row {key}"
                await session.execute(update(table).where(table.c.id == key).values({name: before[key]}))
        assert await _problems_in(session) == []


async def _problems_in(session: Any) -> list[str]:
    session.expire_all()
    problems = [problem async for problem in audit_chain_problems(session)]
    return problems + [problem async for problem in signature_problems(session)]


async def _all_problems_in(session: Any, scenario: EmptyPortfolio) -> list[str]:
    """Returns the problems that `server.py verify` finds, with the changes of the transaction."""
    checks = verify._checks(scenario.services.files).values()
    return [problem for check in checks async for problem in problems_in(session, check)]


OTHER_STATEMENT = "the statement is not the one that was signed"
# Change -> (statement, part of the expected problem).
CHANGES = {
    "a line was deleted": (delete(AuditEvent).where(AuditEvent.sequence == 3), "line 3 is missing before line 4"),
    "the last line was deleted": (
        delete(AuditEvent).where(AuditEvent.sequence == select(AuditEvent.sequence.label("s")).order_by(
            AuditEvent.sequence.desc()).limit(1).scalar_subquery()),
        "the trail should end at line",
    ),
    "the end was changed": (update(Provider).values(audit_hash="0" * 64), "the trail should end at line"),
    "a progress sum": (update(AimProgress).values(criteria_mapped=1), "counted 3 criteria, 3 mapped"),
    "an evidence count": (
        update(CriterionProgress).where(CriterionProgress.evidence_count == 2).values(evidence_count=3),
        "stored 3 evidence, counted 2",
    ),
    "a criterion's progress was deleted": (
        delete(CriterionProgress).where(CriterionProgress.evidence_count == 2),
        "evidence is mapped, but nothing is stored",
    ),
    "a mapping was deleted": (
        delete(EvidenceMapping).where(EvidenceMapping.criterion_id == select(func.min(
            CriterionProgress.criterion_id)).where(CriterionProgress.evidence_count == 1).scalar_subquery()),
        "stored 1 evidence, counted 0",
    ),
    "a criterion's sign-off": (update(CriterionProgress).values(signed_off=False), "the statement or the criteria"),
    "evidence's title": (update(Evidence).values(title="A whee1"), OTHER_STATEMENT),
    "a version was deleted": (delete(EvidenceVersion).where(EvidenceVersion.number == 1), "version 1 is missing"),
    "a file's digest": (update(File).values(sha256="1" * 64), "the file is not the one that was signed"),
    "a document's title": (update(SignatureRequest).values(title="Reviev"), OTHER_STATEMENT),
    "a document's digest": (
        update(SignatureRequest).values(document_sha256="1" * 64),
        "the document is not the one whose signature was requested",
    ),
    "a signature on evidence was deleted": (delete(EvidenceSignature), "there is no such signature"),
    "a signature on a document was deleted": (
        update(SignatureSlot).values(signed_at=None, signed_by_id=None), "there is no such signature"
    ),
    "a signature on a unit was deleted": (delete(UnitSignature), "a unit of aim"),
    "a withdrawal was removed": (
        update(UnitSignature).values(withdrawn_at=None), "the statement or the criteria are not those"
    ),
    "a file's size": (update(File).values(size=File.size + 1), "the stored bytes are not those that were uploaded"),
    "a file's storage key": (update(File).values(storage_key=None), "it is not in the store"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_is_described(scenario: EmptyPortfolio, change: str) -> None:
    statement, expected = CHANGES[change]
    with suppress(_Rollback):
        async with scenario.database.writing() as session:
            await session.execute(statement.execution_options(synchronize_session=False))
            problems = await _all_problems_in(session, scenario)
            raise _Rollback
    assert any(expected in problem for problem in problems), problems


async def test_a_forged_signature_is_found(scenario: EmptyPortfolio) -> None:
    ada = (await scenario.rows(Learner))[0]
    manager = scenario.user("manager")
    with suppress(_Rollback):
        async with scenario.database.writing() as session:
            signature = (await session.scalars(select(EvidenceSignature).limit(1))).one()
            session.add(
                EvidenceSignature(
                    provider_id=ada.provider_id, learner_id=ada.id, evidence_id=signature.evidence_id, version_number=1,
                    role=Role.EMPLOYER_MANAGER, signed_by_id=manager.id, signed_at=signature.signed_at,
                    statement=signature.statement, file_sha256=signature.file_sha256,
                )
            )  # fmt: skip
            await session.flush()
            (problem,) = await _all_problems_in(session, scenario)
            raise _Rollback
    assert "the audit trail has no line of it" in problem


async def test_one_changed_byte_of_a_file_is_found(scenario: EmptyPortfolio, folder: Path, tmp_path: Path) -> None:
    file = (await scenario.rows(File, File.storage_key.is_not(None)))[0]
    # Works on a copy of the store, because other tests share it.
    path = tmp_path / "files" / file.storage_key
    shutil.copytree(folder / "files", tmp_path / "files")
    store, content = open_store(tmp_path / "files"), bytearray(path.read_bytes())

    async def problems() -> list[str]:
        return [problem async for problem in find_problems(scenario.database, store)]

    assert await problems() == []
    content[-1] ^= 1
    path.write_bytes(content)
    assert await problems() == [f"file {file.id}: the stored bytes are not those that were uploaded"]
    path.unlink()
    assert await problems() == [f"file {file.id}: it is not in the store"]


async def test_signatures_stay_valid_when_a_name_changes(scenario: EmptyPortfolio) -> None:
    async with scenario.database.writing() as session:
        (await session.get_one(User, scenario.user("learner").id)).name = "Ada Byron"
    assert await problems_of(scenario) == []

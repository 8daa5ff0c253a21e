"""The demo: its people belong together as documented, and its records follow the rules that the server enforces."""

import datetime as dt
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from pwdlib import PasswordHash
from sqlalchemy import func, select
from sqlalchemy.engine import Row

from db.database import Database
from db.models.base import referred_table
from db.models.provider import Provider
from db.models.registry import metadata
from domain import clock, progress
from domain import confirmation_statements as signing
from domain.enums import (
    ActionStatus,
    AimStatus,
    EvidenceStatus,
    JobSetting,
    Role,
    SessionStatus,
    SignatureRequestStatus,
    TrafficLight,
)
from services.audit.chain import audit_chain_problems
from services.audit.progress_check import progress_mismatches
from services.demo import PASSWORD, DemoExists, build_demo
from services.demo.accounts import ACCOUNTS
from services.storage.file_store import open_store
from tests.services.demo.demo_data import DemoData
from tests.support.databases import Databases


@pytest.fixture(scope="module")
async def data(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory):
    """The demo as a server builds it; that of other tests has other password hashes."""
    database = Database(await databases.fresh(backend))
    store = open_store(tmp_path_factory.mktemp("files"))
    await build_demo(database, store)
    yield await DemoData(database, store).read()
    await database.close()


def light(aim: Row, sums: Row, provider: Row) -> TrafficLight:
    today = clock.today()
    return progress.traffic_light(
        in_training=aim.status is AimStatus.IN_TRAINING,
        criteria_total=sums.criteria_total,
        mapped=progress.tenths(sums.criteria_mapped, sums.criteria_total),
        duration=progress.duration_tenths(
            aim.start_date,
            aim.planned_end_date,
            today,
            progress.days_on_break(sums.days_on_break, sums.break_since, aim.start_date, aim.planned_end_date, today),
        ),
        tolerance=provider.traffic_light_tolerance,
        rated_from=provider.rated_from_percent,
    )


async def test_every_account_can_sign_in_with_its_roles(data: DemoData):
    grants = defaultdict(set)
    for grant in data["role_grant"]:
        grants[grant.user_id].add(grant.role)
    users = {user.username: user for user in data["user_account"]}
    for account in ACCOUNTS:
        user = users[account.username]
        assert grants[user.id] == set(account.roles) and user.name == account.name and user.archived_at is None
        new = account.username == "new.starter"
        assert user.must_change_password is new and bool(user.disclaimer_accepted) is not new
    (stored,) = {user.password_hash for user in users.values()}
    assert PasswordHash.recommended().verify(PASSWORD, stored)
    assert "m=19456,t=2,p=1" in stored


async def test_the_accounts_are_related_to_the_main_learner(data: DemoData):
    learner, aims = data.learner(), data.of("aim", data.learner())
    assert len(aims) == 3
    assert {aim.assessor_id for aim in aims} == {data.user("assessor")}
    assert {aim.iqa_id for aim in aims} == {data.user("iqa")}
    managed = {row.learner_id for row in data["manager_allocation"] if row.user_id == data.user("employer.manager")}
    site = {row.id for row in data["learner"] if row.employer_id == learner.employer_id}
    assert learner.id in managed and managed < site
    sites = {row.employer_id for row in data["overview_allocation"] if row.user_id == data.user("employer.overview")}
    office = data.by_id("employer")[learner.employer_id].parent_id
    assert learner.employer_id in sites
    assert len(sites) == 2 and len([row for row in data["employer"] if row.parent_id == office]) == 3
    assert sum(row.parent_id is None for row in data["employer"] if row.provider_id == learner.provider_id) == 2


async def test_the_main_learner_has_tasks_for_every_account(data: DemoData):
    learner, today = data.learner(), clock.today()
    with_evidence = Counter(row.aim_id for row in data.of("criterion_progress", learner) if row.evidence_count)
    sums = {row.aim_id: row for row in data.of("aim_progress", learner)}
    training = [aim for aim in data.of("aim", learner) if aim.status is AimStatus.IN_TRAINING]
    assert any(with_evidence[aim.id] < sums[aim.id].criteria_total for aim in training)
    provider = data.by_id("provider")[learner.provider_id]
    assert {light(aim, sums[aim.id], provider) for aim in training} == {
        TrafficLight.ON_TRACK, TrafficLight.OFF_TRACK, TrafficLight.AHEAD
    }  # fmt: skip
    booked = [row.starts_at for row in data.of("session", learner) if row.status is SessionStatus.PLANNED]
    assert clock.now() < min(booked) < clock.now() + dt.timedelta(days=7)
    pending = {row.id for row in data.of("signature_request", learner) if row.status is SignatureRequestStatus.PENDING}
    open_slots = {
        row.role for row in data.of("signature_slot", learner) if row.request_id in pending and not row.signed_at
    }
    assert open_slots >= {Role.LEARNER, Role.ASSESSOR, Role.IQA, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW}
    open_actions = [row for row in data.of("action", learner) if row.status is not ActionStatus.COMPLETE]
    assert any(row.target_date < today for row in open_actions) and any(row.target_date > today for row in open_actions)
    assert data.by_id("file")[learner.photo_file_id].content_type == "image/png"
    assert {row.name.value for row in data.of("cv_section", learner)} and len(data.of("cv_document", learner)) == 4


async def test_sixty_learners_cover_every_state(data: DemoData):
    provider = data.by_id("provider")[data.learner().provider_id]
    assert sum(row.provider_id == provider.id for row in data["learner"]) == 60
    aims = [aim for aim in data["aim"] if aim.provider_id == provider.id]
    sums = {row.aim_id: row for row in data["aim_progress"]}
    assert {aim.status for aim in aims} == set(AimStatus)
    lights = Counter(light(aim, sums[aim.id], provider) for aim in aims)
    assert all(lights[colour] >= 10 for colour in TrafficLight)
    assert sum(progress.is_past_planned_end(aim.status, aim.planned_end_date, clock.today()) for aim in aims) >= 5
    kinds = {row.kind for row in data["qualification"] if row.provider_id == provider.id}
    assert kinds == {"standard", "diploma", "functional_skills"}
    # Nothing is withdrawn: that is for mistakes, with a reason of the person who made one.
    assert {row.status for row in data["evidence"]} == set(EvidenceStatus)
    assert {row.status for row in data["session"]} == set(SessionStatus)
    assert {row.status for row in data["action"]} == set(ActionStatus)
    assert {row.status for row in data["signature_request"]} == set(SignatureRequestStatus)
    assert any(row.action_id for row in data["evidence"])
    assert any(row.withdrawn_at for row in data["unit_signature"])
    assert all(aim.iqa_id != aim.assessor_id for aim in aims)


async def test_the_sums_are_right_and_the_audit_trail_is_unchanged(data: DemoData):
    async with data.database.writing() as session:
        assert await progress_mismatches(session) == []
        assert [line async for line in audit_chain_problems(session)] == []
    assert len(data["audit_event"]) > 1000
    signed = {row.criterion_id: row for row in data["evidence_mapping"] if row.signed_off}
    for row in data["criterion_progress"]:
        assert bool(row.signed_off_by_id) is row.signed_off is bool(row.signed_off_at)
        assert not row.signed_off or row.criterion_id in signed


async def test_each_attended_session_has_exactly_one_automatic_entry(data: DemoData):
    entries = defaultdict(list)
    for entry in data["time_log_entry"]:
        assert entry.automatic is (entry.session_id is not None)
        entries[entry.session_id].append(entry)
    for session in data["session"]:
        minutes = (session.ends_at - session.starts_at).total_seconds() / 60
        found = [(entry.minutes, entry.date, entry.learner_id) for entry in entries[session.id]]
        attended = session.status is SessionStatus.ATTENDED
        assert found == ([(minutes, clock.day_of(session.starts_at), session.learner_id)] if attended else [])
    numbers = defaultdict(list)
    for session in sorted(data["session"], key=lambda session: session.starts_at):
        numbers[session.learner_id].append(session.number)
    for learner in data["learner"]:
        assert numbers[learner.id] == list(range(1, learner.last_session_number + 1))


async def test_who_has_completed_has_the_hours_that_were_required(data: DemoData):
    aims = defaultdict(list)
    for aim in data["aim"]:
        aims[aim.learner_id].append(aim)
    completed = [of for of, each in aims.items() if all(aim.status is AimStatus.COMPLETED for aim in each)]
    minutes = Counter()
    for entry in data["time_log_entry"]:
        if entry.job_setting is JobSetting.OFF_THE_JOB and entry.exclusion is None:
            minutes[entry.learner_id] += entry.minutes
    required = Counter()
    for sums in data["aim_progress"]:
        required[sums.learner_id] += sums.required_minutes
    assert any(required[learner] for learner in completed)
    assert [learner for learner in completed if minutes[learner] < required[learner]] == []


async def test_no_record_is_from_the_future(data: DemoData):
    now = clock.now()
    for name, table in metadata.tables.items():
        # The end of what can be used is to come.
        moments = [column.key for column in table.columns if column.key.endswith("_at") and column.key != "expires_at"]
        for row in data[name]:
            planned = name == "session" and row.status is SessionStatus.PLANNED
            late = [key for key in moments if getattr(row, key) and getattr(row, key) > now]
            assert not late or planned and set(late) <= {"starts_at", "ends_at"}, (name, row)
            assert not planned or row.starts_at > now
    assert all(entry.date <= clock.today() for entry in data["time_log_entry"])


async def test_evidence_agrees_with_its_versions_and_signatures(data: DemoData):
    files, versions = data.by_id("file"), defaultdict(list)
    for version in sorted(data["evidence_version"], key=lambda version: version.number):
        versions[version.evidence_id].append(version)
    mapped = {row.evidence_id for row in data["evidence_mapping"]}
    for evidence in data["evidence"]:
        own = versions[evidence.id]
        assert [version.number for version in own] == list(range(1, len(own) + 1))
        assert evidence.file_id == own[-1].file_id and files[evidence.file_id].aim_id == evidence.aim_id
        assessed = evidence.status is EvidenceStatus.ASSESSED
        assert assessed is bool(evidence.assessed_at) is (evidence.id in mapped)
        assert evidence.status is not EvidenceStatus.RETURNED or evidence.points_for_improvement
        withdrawn = evidence.status is EvidenceStatus.WITHDRAWN
        assert withdrawn is bool(evidence.withdrawn_at) is bool(evidence.withdrawn_reason)
        assert evidence.status is not EvidenceStatus.RESUBMITTED or len(own) > 1
    for row in data["evidence_signature"]:
        signed = versions[row.evidence_id][row.version_number - 1]
        assert row.file_sha256 == files[signed.file_id].sha256


async def test_document_signatures_have_the_right_role_and_digest(data: DemoData):
    files, users, roles = data.by_id("file"), data.by_id("user_account"), defaultdict(set)
    for grant in data["role_grant"]:
        roles[grant.user_id].add(grant.role)
    slots = defaultdict(list)
    for slot in data["signature_slot"]:
        slots[slot.request_id].append(slot)
        if slot.signed_by_id:
            assert slot.role in roles[slot.signed_by_id] and users[slot.signed_by_id].provider_id == slot.provider_id
    # Some managers have no account: one has signed through the link, others have not opened it.
    guests = [slot.signed_at is not None for slot in data["signature_slot"] if slot.guest_email]
    assert guests == [True, False, False] * 2
    for request in data["signature_request"]:
        done = all(slot.signed_at for slot in slots[request.id])
        if request.status is not SignatureRequestStatus.CANCELLED:
            assert done is (request.status is SignatureRequestStatus.COMPLETE)
        signed = {slot.document_sha256 for slot in slots[request.id] if slot.signed_at}
        assert signed <= {request.document_sha256} == {files[request.file_id].sha256}


async def test_a_valid_unit_signature_confirms_the_current_criteria(data: DemoData):
    states = defaultdict(list)
    for row in data["criterion_progress"]:
        states[row.aim_id, row.unit_id].append((row.criterion_id, row.evidence_count, row.signed_off))
    sizes = {unit.id: unit.criterion_count for unit in data["qualification_unit"]}
    valid = [row for row in data["unit_signature"] if row.withdrawn_at is None]
    assert valid
    for row in valid:
        own = states[row.aim_id, row.unit_id]
        assert len(own) == sizes[row.unit_id] and all(signed for _, _, signed in own)
        assert row.content_sha256 == signing.unit_sha256(row.statement, own)


async def test_the_stored_files_match_their_records(data: DemoData):
    used = {file.storage_key: file for file in data["file"]}
    for file in data.of("file", data.learner()):
        assert await data.store.digest(file.storage_key) == file.sha256
    assert all([await data.store.exists(key) for key in used])
    # Learners share no stored file: erasing one learner must not delete another's file.
    assert len({(file.storage_key, file.learner_id) for file in data["file"]}) == len(used)


async def test_no_record_refers_to_another_provider(data: DemoData):
    owners = {row.id: row.provider_id for row in data["learner"]}
    owners_of_users = {row.id: row.provider_id for row in data["user_account"]}
    assert len(set(owners.values())) == 2
    for name, table in metadata.tables.items():
        people = [column.key for column in table.columns if referred_table(column) == "user_account"]
        for row in data[name]:
            if "learner_id" in table.columns and row.learner_id is not None:
                assert row.provider_id == owners[row.learner_id]
            for column in people:
                if getattr(row, column) is not None:
                    assert owners_of_users[getattr(row, column)] == row.provider_id


async def test_learner_numbers_are_valid_and_unique(data: DemoData):
    numbers = [row.uln for row in data["learner"]]
    assert len(set(numbers)) == len(numbers)
    for number in numbers:
        weighted = sum(int(digit) * weight for digit, weight in zip(number[:9], range(10, 1, -1), strict=True)) % 11
        assert len(number) == 10 and int(number[9]) == 10 - weighted


async def test_the_demo_is_built_once(data: DemoData):
    with pytest.raises(DemoExists):
        await build_demo(data.database, data.store)
    (row,) = await data.database.rows(select(func.count()).select_from(Provider))
    assert row[0] == 2


@pytest.mark.long
async def test_the_same_seed_gives_the_same_demo(databases: Databases, tmp_path: Path):
    # Storage keys and the salt of the password hash are random; rows record when they were imported or last changed.
    random_columns = {"storage_key", "password_hash", "imported_at", "updated_at"}
    builds = []
    for number in range(2):
        database = Database(await databases.fresh("sqlite"))
        await build_demo(database, open_store(tmp_path / str(number)))
        data = await DemoData(database, open_store(tmp_path)).read()
        builds.append({
            name: [{key: value for key, value in row._mapping.items() if key not in random_columns} for row in rows]
            for name, rows in data.tables.items()
        })  # fmt: skip
        await database.close()
    assert builds[0] == builds[1]

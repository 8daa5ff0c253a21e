"""Generates random rows of two providers from a seed: records of every kind, with random users and relations.

The rows are consistent, as mutations would write them: a record refers to the aims of its own learner, a file has the
aim of the record that refers to it, and all references stay within one provider.
"""

import datetime as dt
from collections import defaultdict
from random import Random
from typing import Any

from db.models.registry import metadata
from domain import clock
from domain.enums import (
    ActionKind,
    ActionStatus,
    ActivityType,
    AimStatus,
    CvDocumentKind,
    CvSectionName,
    EvidenceStatus,
    JobSetting,
    ResourceBucket,
    Role,
    SessionStatus,
    SessionType,
    SignatureRequestStatus,
)
from domain.text import fold_name
from tests.authorization.random_quality import QualityRows
from tests.authorization.rows import TABLES, Rows
from tests.support.factories import SHA256

DAY = dt.timedelta(days=1)
STAFF = (Role.ASSESSOR, Role.ASSESSOR, Role.IQA, Role.IQA, Role.BASIC_ADMIN, Role.MASTER_ADMIN)
EMPLOYERS = (Role.EMPLOYER_MANAGER, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)
SETTINGS: dict[str, Any] = {
    "unit_signatures": ["ASSESSOR"], "review_signatures": ["LEARNER", "ASSESSOR"], "require_second_factor": []
}  # fmt: skip


def random_rows(seed: int) -> Rows:
    """Returns the rows of two providers. The same seed gives the same rows on the same day."""
    generator = _Generator(Random(seed))
    for learners in (generator.chance.randint(2, 5), generator.chance.randint(1, 2)):
        generator.provider(learners)
    return {table.name: generator.rows[table.name] for table in TABLES}


class _Generator(QualityRows):
    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.rows: Rows = defaultdict(list)
        self.now = clock.now().replace(microsecond=0)
        self.today = clock.day_of(self.now)

    def row(self, table: str, **values: Any) -> dict[str, Any]:
        """Adds a row; columns without a value get the default of the table."""
        columns, made = metadata.tables[table].columns, {}
        for column in columns:
            default = column.default
            made[column.name] = default.arg if default is not None and default.is_scalar else None
            if column.name in (
                "created_at",
                "granted_at",
                "allocated_at",
                "announced_at",
                "mapped_at",
                "added_at",
                "updated_at",
            ):
                made[column.name] = self.now
        if "id" in columns:
            made["id"] = len(self.rows[table]) + 1
        if "provider_id" in columns:
            made["provider_id"] = self.at
        for name in ("name", "title"):
            if f"sort_{name}" in columns:
                made[f"sort_{name}"] = fold_name(values[name])
        self.rows[table].append(made | values)
        return self.rows[table][-1]

    def some(self, of: list[Any], most: int = 3) -> list[Any]:
        return self.chance.sample(of, self.chance.randint(0, min(most, len(of))))

    def one(self, of: list[Any]) -> Any:
        """Returns one of the values, or None."""
        return self.chance.choice([*of, None])

    # ------------------------------------------------------------ a provider

    def provider(self, learners: int) -> None:
        self.at = len(self.rows["provider"]) + 1
        self.row("provider", name=f"Provider {self.at}", **SETTINGS)
        self.people: dict[Role, list[int]] = defaultdict(list)
        for role in (*STAFF, *EMPLOYERS):
            self.user(role)
        self.sites: list[int] = []
        for number in range(self.chance.randint(2, 4)):
            site = self.row("employer", name=f"Site {number}", parent_id=self.one(self.sites))
            self.sites.append(site["id"])
        for overview in self.people[Role.EMPLOYER_OVERVIEW]:
            for site in self.some(self.sites):
                self.row("overview_allocation", user_id=overview, employer_id=site)
        qualifications = [self.qualification(number) for number in range(2)]
        for _ in range(learners):
            self.learner(qualifications)
        for role in (Role.ASSESSOR, Role.EMPLOYER_MANAGER, Role.MASTER_ADMIN):
            self.file(self.chance.choice(self.people[role]), None, None)

    def user(self, role: Role) -> int:
        """Adds a user with this role and sometimes a second role of the same group (staff or employers)."""
        key = len(self.rows["user_account"]) + 1
        user = self.row(
            "user_account", username=f"user.{key}", email=f"user.{key}@example.org", name=f"User {key}",
            password_hash="-",
            archived_at=self.now if role is Role.EMPLOYER_MANAGER and self.chance.random() < 0.2 else None,
            last_login_at=self.one([self.now]),
        )  # fmt: skip
        roles = {role}
        if role is not Role.LEARNER and self.chance.random() < 0.25:
            roles.add(self.chance.choice(STAFF if role in STAFF else EMPLOYERS))
        for held in roles:
            self.row("role_grant", user_id=user["id"], role=held)
            self.people[held].append(user["id"])
        return user["id"]

    def qualification(self, number: int) -> dict[str, Any]:
        sizes = [self.chance.randint(1, 2) for _ in range(self.chance.randint(1, 2))]
        made = self.row(
            "qualification", title=f"Qualification {number}", unit_count=len(sizes), criterion_count=sum(sizes),
            content_sha256=f"{self.at}{number}".zfill(64), imported_at=self.now, off_the_job_hours_minimum=10,
        )  # fmt: skip
        for place, size in enumerate(sizes, 1):
            keys = {"qualification_id": made["id"]}
            unit = self.row(
                "qualification_unit", number=str(place), title="Unit", position=place, criterion_count=size, **keys
            )
            for code in range(1, size + 1):
                self.row(
                    "qualification_criterion",
                    unit_id=unit["id"],
                    code=str(code),
                    description="Does",
                    position=code,
                    **keys,
                )
        return made

    # ------------------------------------------------------------ a learner

    def learner(self, qualifications: list[dict[str, Any]]) -> None:
        user = self.user(Role.LEARNER)
        self.subject = self.row(
            "learner", user_id=user, employer_id=self.one(self.sites), uln=str(1_000_000_000 + user),
            enrolled_by_id=self.one(self.people[Role.ASSESSOR]),
        )  # fmt: skip
        self.keys = {"learner_id": self.subject["id"]}
        for manager in self.some(self.people[Role.EMPLOYER_MANAGER], 2):
            self.row("manager_allocation", user_id=manager, **self.keys)
        self.aims = [self.aim(qualification) for qualification in self.some(qualifications * 2)]
        if self.chance.random() < 0.5:
            self.subject["photo_file_id"] = self.file(user, self.subject["id"], None)
        staff = self.chance.choice(self.people[Role.ASSESSOR])
        sessions = [self.session(staff, number) for number in range(1, self.chance.randint(1, 4))]
        for _ in range(self.chance.randint(0, 3)):
            self.action(staff, sessions)
        for _ in range(self.chance.randint(0, 3)):
            self.entry(user)
        for _ in range(self.chance.randint(0, 2)):
            self.request(staff)
        for number, session in enumerate(self.some(sessions), 1):
            self.review(staff, session, number)
        for aim in self.aims:
            for _ in range(self.chance.randint(0, 2)):
                self.evidence(aim, user)
            if self.chance.random() < 0.5:
                self.sample(aim, staff)
            for bucket in self.some(list(ResourceBucket)):
                file = self.file(staff, self.subject["id"], aim["id"])
                self.row(
                    "resource",
                    aim_id=aim["id"],
                    bucket=bucket,
                    title="Resource",
                    file_id=file,
                    added_by_id=staff,
                    **self.keys,
                )
        if self.chance.random() < 0.5:
            self.row("cv_section", name=CvSectionName.SKILLS, text="Welds", updated_at=self.now, **self.keys)
            file = self.file(user, self.subject["id"], None)
            self.row("cv_document", kind=CvDocumentKind.CV, file_id=file, **self.keys)
        self.trail(user)

    def aim_key(self) -> int | None:
        aim = self.one(self.aims)
        return aim and aim["id"]

    def aim(self, qualification: dict[str, Any]) -> dict[str, Any]:
        assessor, iqa = self.one(self.people[Role.ASSESSOR]), self.one(self.people[Role.IQA])
        made = self.row(
            "aim", qualification_id=qualification["id"], status=self.chance.choice(list(AimStatus)),
            assessor_id=assessor, iqa_id=iqa if iqa != assessor else None, start_date=self.today - 50 * DAY,
            planned_end_date=self.today + self.chance.randint(-20, 100) * DAY, **self.keys,
        )  # fmt: skip
        total = qualification["criterion_count"]
        mapped = self.chance.randint(0, total)
        self.row(
            "aim_progress", aim_id=made["id"], criteria_total=total, criteria_mapped=mapped,
            criteria_signed_off=self.chance.randint(0, mapped), **self.keys,
        )  # fmt: skip
        return made

    def file(self, by: int, learner: int | None, aim: int | None) -> int:
        """Adds an uploaded file. `learner`: the learner whose record refers to it; None if it is not used."""
        return self.row(
            "file", name="notes.txt", content_type="text/plain", size=5, sha256=SHA256, uploaded_by_id=by,
            uploaded_at=self.now, learner_id=learner, aim_id=aim,
        )["id"]  # fmt: skip

    def session(self, assessor: int, number: int) -> int:
        start = self.now + self.chance.randint(-10, 10) * DAY
        made = self.row(
            "session", number=number, type=self.chance.choice((SessionType.GENERAL, SessionType.FORMAL_REVIEW)),
            status=self.chance.choice(list(SessionStatus)), starts_at=start, ends_at=start + DAY / 24,
            assessor_id=assessor, **self.keys,
        )  # fmt: skip
        about = self.some(self.aims)
        for aim in about:
            self.row("session_aim", session_id=made["id"], aim_id=aim["id"], **self.keys)
        if self.chance.random() < 0.6:
            file = self.file(assessor, self.subject["id"], about[0]["id"] if len(about) == 1 else None)
            self.row("session_file", session_id=made["id"], file_id=file, **self.keys)
        return made["id"]

    def action(self, staff: int, sessions: list[int]) -> None:
        aim = self.aim_key()
        made = self.row(
            "action", aim_id=aim, session_id=self.one(sessions), kind=ActionKind.ACTION, title="Action",
            description="Do",
            target_date=self.today + self.chance.randint(-5, 5) * DAY, status=self.chance.choice(list(ActionStatus)),
            set_by_id=staff, set_at=self.now, **self.keys,
        )  # fmt: skip
        if self.chance.random() < 0.5:
            file = self.file(staff, self.subject["id"], aim)
            self.row("action_file", action_id=made["id"], file_id=file, **self.keys)

    def entry(self, user: int) -> None:
        self.row(
            "time_log_entry", aim_id=self.aim_key(), date=self.today, activity_type=ActivityType.COACHING_OR_MENTORING,
            job_setting=self.chance.choice(list(JobSetting)), minutes=self.chance.randint(1, 90), comments="Learned",
            added_by_id=user, **self.keys,
        )  # fmt: skip

    def request(self, staff: int) -> int:
        made = self.row(
            "signature_request", title="Document", file_id=self.file(staff, self.subject["id"], None),
            document_sha256=SHA256,
            status=self.chance.choice(list(SignatureRequestStatus)), requested_by_id=staff, requested_at=self.now,
            **self.keys,
        )  # fmt: skip
        for role in self.some(list(Role), 4):
            signed = {"signed_by_id": staff, "signed_at": self.now} if self.chance.random() < 0.3 else {}
            self.row("signature_slot", request_id=made["id"], role=role, **self.keys, **signed)
        return made["id"]

    def evidence(self, aim: dict[str, Any], user: int) -> None:
        by, keys = self.chance.choice([user, *self.people[Role.EMPLOYER_MANAGER]]), {"aim_id": aim["id"], **self.keys}
        submitted = {
            "submitted_by_id": by,
            "submitted_at": self.now,
            "file_id": self.file(by, self.subject["id"], aim["id"]),
        }
        made = self.row(
            "evidence", title="Evidence", description="What I did", status=self.chance.choice(list(EvidenceStatus)),
            declared_own_work=True, assessment_methods=[], **submitted, **keys,
        )  # fmt: skip
        self.row("evidence_version", evidence_id=made["id"], number=1, **submitted, **self.keys)
        content = [
            row for row in self.rows["qualification_criterion"] if row["qualification_id"] == aim["qualification_id"]
        ]
        for criterion in self.some(content, 2):
            place = {"unit_id": criterion["unit_id"], "criterion_id": criterion["id"], **keys}
            self.row("evidence_mapping", evidence_id=made["id"], mapped_by_id=by, **place)
            touched = {(row["aim_id"], row["criterion_id"]) for row in self.rows["criterion_progress"]}
            if (aim["id"], criterion["id"]) not in touched:
                self.row("criterion_progress", evidence_count=1, **place)

    def trail(self, user: int) -> None:
        lines = self.rows["audit_event"]
        for action in ("learnerUpdate", "evidenceSubmit"):
            aim = self.aim_key()
            self.row(
                "audit_event", sequence=sum(line["provider_id"] == self.at for line in lines) + 1, at=self.now,
                actor_id=user, role=Role.LEARNER, action=action, subject_type="Aim" if aim else "Learner",
                subject_key=aim or self.subject["id"], aim_id=aim, detail={}, previous_hash=SHA256, hash=SHA256,
                **self.keys,
            )  # fmt: skip

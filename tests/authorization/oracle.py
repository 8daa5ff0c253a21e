"""The oracle: "Who may do what" of docs/behaviours.md, written a second time in plain Python over rows in memory.

It does not use auth/scope.py and reads no database, so the two are independent; the tests compare them. From the mapped
classes it takes only the names of tables and their references.
"""

from collections import defaultdict
from functools import cached_property
from typing import Any

from sqlalchemy import Column

from db.models.base import referred_table
from db.models.registry import metadata
from domain.enums import Role, SignatureRequestStatus
from tests.authorization.rows import TABLE_OF, Rows
from tests.authorization.task_oracle import tasks_of

Row = dict[str, Any]

STAFF = {Role.ASSESSOR, Role.IQA, Role.BASIC_ADMIN, Role.MASTER_ADMIN}
ADMINS = {Role.BASIC_ADMIN, Role.MASTER_ADMIN}
SIGNING = {
    "evidenceSubmit", "evidenceSign", "unitSign", "signatureRequestSign", "signatureRequestSignMany", "reviewSign",
}  # fmt: skip
# Who sees samples, of the aims that they see.
SAMPLING = {Role.ASSESSOR, Role.IQA, Role.MASTER_ADMIN}

# The graph's types whose records follow their aim, or their learner where they have none.
RECORDS = ("Action", "Break", "Evidence", "Resource", "TimeLogEntry")


class Visibility:
    """What one user sees in one role: sets of keys, and `ids` by GraphQL type."""

    def __init__(self, rows: Rows, user: int, role: Role) -> None:
        self.rows, self.me, self.role = rows, user, role
        self._found: dict[tuple[str, ...], dict[tuple[Any, ...], list[Row]]] = {}
        self.provider = next(row["provider_id"] for row in rows["user_account"] if row["id"] == user)
        # An assessor sees the aims of their caseload, an IQA those of their sample.
        self.by_aim = {Role.ASSESSOR: "assessor_id", Role.IQA: "iqa_id"}.get(role)
        self.learners = self._learners()
        self.aims = self._aims()
        self.sessions = {row["id"] for row in self.of("session") if self._session(row)}
        self.reviews = {row["id"] for row in self.of("review") if row["session_id"] in self.sessions}
        self.documents = {row["id"] for row in self.of("signature_request") if self._document(row)}
        self.records = {type_: self._records(TABLE_OF[type_]) for type_ in RECORDS}
        self.files = {row["id"] for row in self.of("file") if self._file(row)}
        self.employers = self._employers()
        self.users = self._users()
        self.audit = {row["id"] for row in self.of("audit_event") if self._audit(row)}

    def of(self, table: str, **values: Any) -> list[Row]:
        """Returns the rows of a table that are of the user's provider and have these values."""
        return self._by(table, *values).get(tuple(values.values()), [])

    def _by(self, table: str, *names: str) -> dict[tuple[Any, ...], list[Row]]:
        """Returns the rows of the provider by the values of columns. Each call of `of` would read the table again."""
        if (table, *names) not in self._found:
            found = self._found[table, *names] = defaultdict(list)
            for row in self.rows[table]:
                if row["provider_id"] == self.provider:
                    found[tuple(row[name] for name in names)].append(row)
        return self._found[table, *names]

    # ------------------------------------------------------------ own, case, sample, allocated, site, all

    def _learners(self) -> set[int]:
        match self.role:
            case Role.LEARNER:
                return {row["id"] for row in self.of("learner", user_id=self.me)}
            case Role.ASSESSOR:
                started = {row["learner_id"] for row in self.of("aim")}
                enrolled = {row["id"] for row in self.of("learner", enrolled_by_id=self.me)}
                return {row["learner_id"] for row in self.of("aim", assessor_id=self.me)} | (enrolled - started)
            case Role.IQA:
                return {row["learner_id"] for row in self.of("aim", iqa_id=self.me)}
            case Role.EMPLOYER_MANAGER:
                return {row["learner_id"] for row in self.of("manager_allocation", user_id=self.me)}
            case Role.EMPLOYER_OVERVIEW:
                sites = self._sites()
                return {row["id"] for row in self.of("learner") if row["employer_id"] in sites}
            case Role.BASIC_ADMIN | Role.MASTER_ADMIN:
                return {row["id"] for row in self.of("learner")}

    def _sites(self) -> set[int]:
        return {row["employer_id"] for row in self.of("overview_allocation", user_id=self.me)}

    def _aims(self) -> set[int]:
        if self.by_aim:
            return {row["id"] for row in self.of("aim", **{self.by_aim: self.me})}
        return {row["id"] for row in self.of("aim") if row["learner_id"] in self.learners}

    # ------------------------------------------------------------ records of the visible learners and aims

    def follows(self, row: Row) -> bool:
        """Returns whether a record is visible: by its aim, or by its learner if it has no aim."""
        return row["aim_id"] in self.aims if row["aim_id"] is not None else row["learner_id"] in self.learners

    def _records(self, table: str) -> set[int]:
        return {row["id"] for row in self.of(table) if self.follows(row)}

    def _session(self, row: Row) -> bool:
        if row["learner_id"] not in self.learners:
            return False
        about = {link["aim_id"] for link in self.of("session_aim", session_id=row["id"])}
        return not self.by_aim or not about or bool(about & self.aims)

    def _document(self, row: Row) -> bool:
        """The document of a review is visible with the review, any other with the learner."""
        reviews = {link["review_id"] for link in self.of("review_document", request_id=row["id"])}
        return row["learner_id"] in self.learners and reviews <= self.reviews

    def _sampled(self, table: str) -> set[int]:
        return {row["id"] for row in self.of(table) if row["aim_id"] in self.aims and self.role in SAMPLING}

    def _file(self, row: Row) -> bool:
        if row["learner_id"] is None:
            return row["uploaded_by_id"] == self.me and row["uploaded_at"] is not None
        sessions = {link["session_id"] for link in self.of("session_file", file_id=row["id"])}
        # A file of sessions is visible if one of the sessions is.
        return self.follows(row) and (not sessions or bool(sessions & self.sessions))

    def _employers(self) -> set[int]:
        employers = {row["id"] for row in self.of("employer")}
        if self.role in ADMINS or self.role is Role.ASSESSOR:
            return employers
        if self.role is Role.EMPLOYER_OVERVIEW:
            return self._sites() & employers
        return {row["employer_id"] for row in self.of("learner") if row["id"] in self.learners} & employers

    def _users(self) -> set[int]:
        """The users whom they see: staff, and the users related to the visible learners."""
        if self.role in ADMINS:
            return {row["id"] for row in self.of("user_account")}
        learners = [row for row in self.of("learner") if row["id"] in self.learners]
        sites = {row["employer_id"] for row in learners}
        managing = self.of("manager_allocation")
        found = {self.me} | {row["user_id"] for row in self.of("role_grant") if row["role"] in STAFF}
        found |= {row["user_id"] for row in learners}
        found |= {row["user_id"] for row in managing if row["learner_id"] in self.learners}
        found |= {row["user_id"] for row in self.of("overview_allocation") if row["employer_id"] in sites}
        if self.role is Role.ASSESSOR:
            # Assessors allocate Employer Managers, so they see those without a learner.
            managers = {row["user_id"] for row in self.of("role_grant", role=Role.EMPLOYER_MANAGER)}
            found |= managers - {row["user_id"] for row in managing}
            # And those who manage anybody at an employer of their learners.
            there = {row["id"] for row in self.of("learner") if row["employer_id"] in sites - {None}}
            found |= {row["user_id"] for row in managing if row["learner_id"] in there}
        return found & {row["id"] for row in self.of("user_account")}

    def _audit(self, row: Row) -> bool:
        match self.role:
            case Role.MASTER_ADMIN:
                return True
            case Role.ASSESSOR | Role.IQA:
                return row["learner_id"] is not None and self.follows(row)
            case Role.LEARNER:
                return row["actor_id"] == self.me and row["action"] in SIGNING
        return False

    # ------------------------------------------------------------ by GraphQL type

    @cached_property
    def keys(self) -> dict[str, set[int]]:
        """The keys of all visible records that have a table and can be read by id, by type."""
        return {
            "Learner": self.learners,
            "Aim": self.aims,
            "Session": self.sessions,
            "SignatureRequest": self.documents,
            "Review": self.reviews,
            "Sample": self._sampled("sample"),
            "SampleAction": self._sampled("sample_action"),
            "File": self.files,
            "Employer": self.employers,
            "User": self.users,
            "AuditEvent": self.audit,
            "AccessKey": {row["id"] for row in self.of("access_key", user_id=self.me)},
            "BulkExport": {row["id"] for row in self.of("bulk_export", user_id=self.me, role=self.role)},
            "ReportSchedule": {row["id"] for row in self.of("report_schedule", user_id=self.me, role=self.role)},
            "Qualification": {row["id"] for row in self.of("qualification")},
            **self.records,
        }

    @cached_property
    def ids(self) -> dict[str, set[str]]:
        """The ids of all visible records that can be read by id, by type."""
        found = {name: {f"{name}_{key}" for key in found} for name, found in self.keys.items()} | self._pairs()
        return {**found, "Task": self.tasks}

    @cached_property
    def tasks(self) -> set[str]:
        """The ids of the tasks that wait for them."""
        return {f"Task_{key}" for key in tasks_of(self)}

    def _pairs(self) -> dict[str, set[str]]:
        pairs: dict[str, set[str]] = {"Unit": set(), "Criterion": set()}
        for aim in self.of("aim"):
            if aim["id"] in self.aims:
                for type_, table in (("Unit", "qualification_unit"), ("Criterion", "qualification_criterion")):
                    content = self.of(table, qualification_id=aim["qualification_id"])
                    pairs[type_] |= {f"{type_}_{aim['id']}.{row['id']}" for row in content}
        return pairs

    @property
    def contacts(self) -> set[str]:
        """The users whose e-mail they see: themselves; learners of their caseload or sample; for admins all users."""
        if self.role in ADMINS:
            return {f"User_{row['id']}" for row in self.of("user_account")}
        seen = {self.me}
        if self.by_aim:
            seen |= {row["user_id"] for row in self.of("learner") if row["id"] in self.learners}
        return {f"User_{key}" for key in seen}

    @property
    def sees_guest_email(self) -> bool:
        """Whether the viewer sees the addresses of people who sign without an account: all roles but employers."""
        return self.role not in (Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)

    @property
    def sees_uln(self) -> bool:
        """Whether they see the ULN of their learners: all roles except those of employers."""
        return self.role not in (Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW)

    def decided_by(self, user: int, action: str) -> int:
        """How many pieces of visible evidence a user has assessed or returned, by the audit trail."""
        events = self.of("audit_event", actor_id=user, action=action, subject_type="Evidence")
        return len({event["subject_key"] for event in events} & self.records["Evidence"])

    @property
    def awaiting(self) -> list[tuple[str, int]]:
        """(Document id, learner key) of each open slot of their role on a visible pending document."""
        pending = {row["id"] for row in self.of("signature_request", status=SignatureRequestStatus.PENDING)}
        return [
            (f"SignatureRequest_{slot['request_id']}", slot["learner_id"])
            for slot in self.of("signature_slot", role=self.role, signed_at=None)
            if slot["request_id"] in pending & self.documents
        ]

    @property
    def documents_with_slot(self) -> set[str]:
        """The ids of the visible documents with a signature slot of their role."""
        found = {row["request_id"] for row in self.of("signature_slot", role=self.role)}
        return {id for id in self.ids["SignatureRequest"] if int(id.partition("_")[2]) in found}


# A reduced database keeps all of these, because other records refer to them.
_KEPT_TYPES = ("User", "Qualification")


def visible_rows(rows: Rows, visibility: Visibility) -> Rows:
    """Returns only the rows that a viewer may see, and all users and qualifications of the provider."""
    mine = {
        name: [row for row in found if row.get("provider_id") == visibility.provider] for name, found in rows.items()
    }
    if visibility.role not in SAMPLING:
        mine["sampling_policy"] = []
    mine["provider"] = [row for row in rows["provider"] if row["id"] == visibility.provider]
    kept = {TABLE_OF[type_]: keys for type_, keys in visibility.keys.items() if type_ not in _KEPT_TYPES}
    left: Rows = {}
    for table, found in mine.items():
        left[table] = []
        for row in found:
            if table in kept and row["id"] not in kept[table]:
                continue
            # Minutes of an aim, where 0 stands for those of no aim; what was deleted of an aim.
            if table in ("time_history", "deleted_record") and row["aim_id"] and row["aim_id"] not in kept["aim"]:
                continue
            # A reference to a removed row becomes null; if the column is not nullable the row is removed too. Audit
            # events keep their references.
            gone = [] if table == "audit_event" else _columns_with_removed_target(table, row, kept)
            if all(column.nullable for column in gone):
                left[table].append({**row, **{column.name: None for column in gone}})
    return left


def _columns_with_removed_target(table: str, row: Row, kept: dict[str, set[int]]) -> list[Column[Any]]:
    """Returns the columns of a row that refer to rows which are not kept. No row has the key 0, which says none."""
    found = []
    for column in metadata.tables[table].columns:
        target = referred_table(column)
        if target in kept and row[column.name] and row[column.name] not in kept[target]:
            found.append(column)
    return found

"""The oracle of tasks: the rules of docs/behaviours.md in plain Python, for one user in one role.

As in `oracle.py`, nothing of the product decides: from it are only the names of tables, enums and the clock.
"""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from domain import clock
from domain.enums import (
    ActionStatus,
    AimStatus,
    EvidenceStatus,
    JobSetting,
    Role,
    SessionStatus,
    SessionType,
    SignatureRequestStatus,
)
from domain.reviews import STANDARD_MONTHS, review_due

if TYPE_CHECKING:
    from tests.authorization.oracle import Visibility

REVIEWERS = {Role.LEARNER, Role.ASSESSOR, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW}
SIGNERS = {Role.LEARNER, Role.ASSESSOR, Role.IQA, Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW}
EMPLOYERS = {Role.EMPLOYER_MANAGER, Role.EMPLOYER_OVERVIEW}
STOPPED = {AimStatus.WITHDRAWN, AimStatus.SUSPENDED}
Row = dict[str, Any]


def tasks_of(seen: "Visibility") -> set[int]:
    """Returns the keys of the tasks of the user: the key of the record and the number of the kind."""
    return {subject * 32 + number for number, subject in _Tasks(seen).all()}


class _Tasks:
    def __init__(self, seen: "Visibility") -> None:
        self.seen, self.of = seen, seen.of
        self.now, self.today = clock.now(), clock.today()
        self.aims = {row["id"]: row for row in self.of("aim") if row["id"] in seen.aims}
        mine = {row["id"] for row in self.of("learner", user_id=seen.me)}
        self.forbidden = set() if seen.role is Role.LEARNER else mine

    def all(self) -> Iterator[tuple[int, int]]:
        """Yields (number of the kind, key of the subject)."""
        yield from self._signing()
        yield from self._evidence()
        yield from self._actions()
        yield from self._time()
        yield from self._learner()
        yield from self._drafts()
        yield from self._sampling()
        for aim in self.aims.values():
            whose = aim["assessor_id"] is None if self._is_admin() else self.seen.role is Role.ASSESSOR
            left = self.of("aim_progress", aim_id=aim["id"])[0]["units_to_choose"]
            begun = aim["status"] in (AimStatus.AWAITING_INDUCTION, AimStatus.IN_TRAINING)
            if whose and left and begun and self._may(aim):
                yield 11, aim["id"]

    def _is_admin(self) -> bool:
        return self.seen.role in (Role.BASIC_ADMIN, Role.MASTER_ADMIN)

    def _may(self, row: Row) -> bool:
        return row["learner_id"] in self.seen.learners - self.forbidden

    def _aim_runs(self, key: int) -> bool:
        return key in self.aims and self.aims[key]["status"] not in STOPPED

    def _programme_runs(self, learner: int) -> bool:
        statuses = {aim["status"] for aim in self.aims.values() if aim["learner_id"] == learner}
        if not statuses or statuses & {AimStatus.AWAITING_INDUCTION, AimStatus.IN_TRAINING}:
            return True
        return AimStatus.SUSPENDED not in statuses and AimStatus.COMPLETED in statuses

    def _runs(self, row: Row) -> bool:
        return self._programme_runs(row["learner_id"]) if row["aim_id"] is None else self._aim_runs(row["aim_id"])

    # ------------------------------------------------------------ each kind

    def _signing(self) -> Iterator[tuple[int, int]]:
        role, me = self.seen.role, self.seen.me
        if role not in SIGNERS:
            return
        pending = {row["id"] for row in self.of("signature_request", status=SignatureRequestStatus.PENDING)}
        mine = {slot["request_id"] for slot in self.of("signature_slot", signed_by_id=me)}
        reviews = {link["request_id"]: link for link in self.of("review_document")}
        for slot in self.of("signature_slot", role=role, signed_at=None):
            waits = slot["request_id"] in pending - mine
            if not (waits and self._may(slot) and self._programme_runs(slot["learner_id"])):
                continue
            link = reviews.get(slot["request_id"])
            if link is None:
                yield 1, slot["request_id"]
            elif role in REVIEWERS and link["replaced_at"] is None and link["review_id"] in self.seen.reviews:
                yield 13, link["review_id"]
        [provider] = [row for row in self.seen.rows["provider"] if row["id"] == self.seen.provider]
        if role.value not in provider["unit_signatures"]:
            return
        for aim in self.aims.values():
            if not (self._aim_runs(aim["id"]) and self._may(aim)):
                continue
            chosen = {row["unit_id"] for row in self.of("aim_unit", aim_id=aim["id"])}
            for unit in self.of("qualification_unit", qualification_id=aim["qualification_id"]):
                done = self.of("criterion_progress", aim_id=aim["id"], unit_id=unit["id"], signed_off=True)
                given = self.of("unit_signature", aim_id=aim["id"], unit_id=unit["id"], withdrawn_at=None)
                by = [row for row in given if row["role"] is role or row["signed_by_id"] == me or row["completes_unit"]]
                counts = unit["mandatory"] or unit["id"] in chosen
                if counts and done and len(done) == unit["criterion_count"] and not by:
                    yield 2, aim["id"] * 2**24 + unit["id"]

    def _drafts(self) -> Iterator[tuple[int, int]]:
        if self.seen.role not in REVIEWERS:
            return
        side = EMPLOYERS if self.seen.role in EMPLOYERS else {self.seen.role}
        issued = {link["review_id"] for link in self.of("review_document", replaced_at=None)}
        sessions = {row["id"]: row for row in self.of("session")}
        for row in self.of("review"):
            session, answers = sessions[row["session_id"]], self.of("review_answer", review_id=row["id"])
            said = any(each["role"] in side or each["answered_by_id"] == self.seen.me for each in answers)
            missed = session["status"] in (SessionStatus.NOT_ATTENDED, SessionStatus.CANCELLED)
            begun = session["starts_at"] <= self.now
            seen = row["id"] in self.seen.reviews - issued and self._may(row)
            if seen and begun and not missed and not said and self._programme_runs(row["learner_id"]):
                yield 14, row["id"]

    def _sampling(self) -> Iterator[tuple[int, int]]:
        role, me = self.seen.role, self.seen.me
        for sample in self.of("sample"):
            if not (self._aim_runs(sample["aim_id"]) and self._may(sample)):
                continue
            aim, unit = self.aims[sample["aim_id"]], {"aim_id": sample["aim_id"], "unit_id": sample["unit_id"]}
            signed = self.of("unit_signature", role=Role.ASSESSOR, withdrawn_at=None, **unit)
            assessed = me in {aim["assessor_id"], *(row["signed_by_id"] for row in signed)}
            near = sample["planned_for"] <= self.today + dt.timedelta(days=28)
            samples = role is Role.IQA or (role is Role.MASTER_ADMIN and aim["iqa_id"] is None)
            waits = sample["concluded_at"] is None and self.of("evidence_mapping", **unit)
            if samples and near and waits and not assessed:
                yield 15, sample["id"]
            answers = role is Role.ASSESSOR or (role is Role.MASTER_ADMIN and aim["assessor_id"] is None)
            for action in self.of("sample_action", sample_id=sample["id"], answered_at=None, closed_at=None):
                if answers:
                    yield 16, action["id"]

    def _evidence(self) -> Iterator[tuple[int, int]]:
        archived = {row["id"] for row in self.of("user_account") if row["archived_at"] is not None}
        mine = {self.seen.me} | (archived if self.seen.role is Role.LEARNER else set())
        for row in self.of("evidence"):
            if not (row["id"] in self.seen.records["Evidence"] and self._may(row) and self._aim_runs(row["aim_id"])):
                continue
            waits = row["status"] in (EvidenceStatus.SUBMITTED, EvidenceStatus.RESUBMITTED)
            if waits and self.seen.role is Role.ASSESSOR:
                yield 3, row["id"]
            submits = self.seen.role in EMPLOYERS | {Role.LEARNER, Role.ASSESSOR}
            if row["status"] is EvidenceStatus.RETURNED and row["submitted_by_id"] in mine and submits:
                yield 4, row["id"]

    def _actions(self) -> Iterator[tuple[int, int]]:
        sessions = {row["id"] for row in self.of("session", assessor_id=self.seen.me)} & self.seen.sessions
        for row in self.of("action"):
            seen = row["id"] in self.seen.records["Action"] and self._may(row)
            if not (seen and self._runs(row)) or row["status"] is ActionStatus.COMPLETE:
                continue
            responded = row["learner_submitted_at"] is not None
            if self.seen.role is Role.LEARNER and not responded:
                yield 5, row["id"]
            own = row["aim_id"] or row["set_by_id"] == self.seen.me or row["session_id"] in sessions
            late = row["target_date"] < self.today
            if self.seen.role is Role.ASSESSOR and own and (responded or late):
                yield 6, row["id"]

    def _time(self) -> Iterator[tuple[int, int]]:
        number, column = (7, "approved_at") if self.seen.role is Role.ASSESSOR else (8, "employer_confirmed_at")
        if self.seen.role not in EMPLOYERS | {Role.ASSESSOR}:
            return
        for row in self.of("time_log_entry", job_setting=JobSetting.OFF_THE_JOB, exclusion=None, **{column: None}):
            if row["id"] in self.seen.records["TimeLogEntry"] and self._may(row) and self._runs(row):
                yield number, row["id"]

    def _learner(self) -> Iterator[tuple[int, int]]:
        role = self.seen.role
        if role is Role.LEARNER:
            for learner in self.seen.learners:
                training = [aim for aim in self.aims.values() if aim["status"] is AimStatus.IN_TRAINING]
                days = [row["date"] for row in self.of("time_log_entry", learner_id=learner)]
                days += [row["returned_on"] for row in self.of("aim_break", learner_id=learner) if row["returned_on"]]
                if training:
                    days.append(min(aim["start_date"] for aim in training))
                    if max(days) + dt.timedelta(days=28) <= self.today:
                        yield 9, learner
        if role not in (Role.LEARNER, Role.ASSESSOR):
            return
        for row in self.of("session", status=SessionStatus.PLANNED):
            about = {link["aim_id"] for link in self.of("session_aim", session_id=row["id"])}
            runs = any(self._aim_runs(key) for key in about) if about else self._programme_runs(row["learner_id"])
            own = role is Role.LEARNER or row["assessor_id"] == self.seen.me
            days = (clock.day_of(row["starts_at"]) - self.today).days
            soon = row["starts_at"] >= self.now and days <= 2
            if row["id"] in self.seen.sessions and own and runs and soon and self._may(row):
                yield 10, row["id"]
        if role is Role.ASSESSOR:
            for learner in self.seen.learners - self.forbidden:
                due = self._review_due(learner)
                if due is not None and due <= self.today + dt.timedelta(days=28):
                    yield 12, learner

    def _review_due(self, learner: int) -> dt.date | None:
        """The day by which a review is due that is not booked."""
        reviews = self.of("session", learner_id=learner, type=SessionType.FORMAL_REVIEW)
        seen = [row for row in reviews if row["id"] in self.seen.sessions]
        if any(row["status"] is SessionStatus.PLANNED and row["starts_at"] >= self.now for row in seen):
            return None
        last = max((row["starts_at"] for row in seen if row["status"] is SessionStatus.ATTENDED), default=None)
        training = [
            aim for aim in self.aims.values() if aim["learner_id"] == learner and aim["status"] is AimStatus.IN_TRAINING
        ]
        returns = [
            max(
                (row["returned_on"] for row in self.of("aim_break", aim_id=aim["id"]) if row["returned_on"]),
                default=None,
            )
            for aim in training
        ]
        [provider] = [row for row in self.seen.rows["provider"] if row["id"] == self.seen.provider]
        return review_due(
            clock.day_of(last) if last else None,
            [aim["start_date"] for aim in training],
            None if None in returns or not returns else min(returns),
            provider["review_interval_weeks"],
            provider["review_rule_months"] or STANDARD_MONTHS,
        )

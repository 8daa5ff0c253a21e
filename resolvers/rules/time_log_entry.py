"""Rules of time log entries: approved ones do not change, and learners change their own only."""

from collections.abc import Iterator
from dataclasses import dataclass

from auth.viewer import Viewer
from db.models.time_log_entry import TimeLogEntry
from domain.enums import Role, UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from loaders.time_log_entry import TimeLogEntryRow
from resolvers.core.rules import RecordRules
from resolvers.rules.learner import LEARNER


@dataclass(frozen=True, slots=True)
class EntryState:
    """What the rules know of an entry."""

    learner_key: int
    added_by_key: int
    approved: bool
    automatic: bool

    @classmethod
    def of(cls, entry: TimeLogEntry) -> "EntryState":
        """Returns that of the entity."""
        return cls(entry.learner_id, entry.added_by_id, entry.approved_at is not None, entry.automatic)

    @classmethod
    def of_row(cls, row: TimeLogEntryRow) -> "EntryState":
        """Returns that of the light row."""
        return cls(row.learner_key, row.added_by_key, row.approved_at is not None, row.automatic)


ENTRY = RecordRules("TimeLogEntry", state=EntryState.of_row)
ENTRY.by_role("timeLogEntryApprove", "timeLogEntryUnapprove", "timeLogEntryConfirm")
LEARNER.by_role("timeLogEntryAdd")


@ENTRY.rule("timeLogEntryUpdate")
def _update(viewer: Viewer, entry: EntryState) -> Iterator[UserError]:
    if entry.approved:
        message = say("ENTRY_APPROVED")
        yield user_error(UserErrorCode.NOT_ALLOWED, message, "id")
    elif viewer.role is Role.LEARNER and (entry.automatic or entry.added_by_key != viewer.user_key):
        message = say("ENTRY_OF_OTHER_PERSON")
        yield user_error(UserErrorCode.NOT_ALLOWED, message, "id")


@ENTRY.rule("timeLogEntryDelete")
def _delete(viewer: Viewer, entry: EntryState) -> Iterator[UserError]:
    refused = list(_update(viewer, entry))
    if not refused and entry.automatic:
        message = say("ENTRY_AUTOMATIC")
        refused.append(user_error(UserErrorCode.NOT_ALLOWED, message, "id"))
    yield from refused

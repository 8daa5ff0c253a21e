"""Rules of mutations that take no record: they concern the viewer's own account, or create a record."""

from collections.abc import Iterator

from auth.viewer import Viewer
from domain.enums import UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from resolvers.core.rules import RecordRules

HAS_SECOND_FACTOR = user_error(UserErrorCode.CONFLICT, say("HAS_SECOND_FACTOR"))
NOTHING_TO_CONFIRM = user_error(UserErrorCode.CONFLICT, say("NO_SECOND_FACTOR_TO_CONFIRM"), "code")

VIEWER = RecordRules("Viewer", state=lambda viewer: viewer)
# A mutation that makes a record is declared in the file of that record's rules, if it has one.
VIEWER.by_role(
    "bulkExportStart", "disclaimerAccept", "fileUploadCreate", "logout", "notificationSettingsUpdate", "passwordChange",
    "providerSettingsUpdate", "pushSubscriptionAdd", "pushSubscriptionRemove", "reportSchedule", "roleSwitch",
)  # fmt: skip


@VIEWER.rule("cvSectionSave", "cvDocumentAdd", "cvDocumentRemove", "photoSet")
def _own_record(viewer: Viewer, same: Viewer) -> Iterator[UserError]:
    if viewer.learner_key is None:
        message = say("NO_LEARNER_RECORD")
        yield user_error(UserErrorCode.NOT_ALLOWED, message)


@VIEWER.rule("secondFactorEnrol")
def _enrol_second_factor(viewer: Viewer, same: Viewer) -> Iterator[UserError]:
    if viewer.has_second_factor:
        yield HAS_SECOND_FACTOR


@VIEWER.rule("secondFactorConfirm")
def _confirm_second_factor(viewer: Viewer, same: Viewer) -> Iterator[UserError]:
    if viewer.has_second_factor or not viewer.has_begun_second_factor:
        yield NOTHING_TO_CONFIRM


@VIEWER.rule("secondFactorRemove")
def _remove_second_factor(viewer: Viewer, same: Viewer) -> Iterator[UserError]:
    if not viewer.has_second_factor:
        yield user_error(UserErrorCode.CONFLICT, say("NO_SECOND_FACTOR"))


@VIEWER.rule("signingCodeRequest")
def _request_code(viewer: Viewer, same: Viewer) -> Iterator[UserError]:
    if viewer.has_password:
        yield user_error(UserErrorCode.INVALID, say("HAS_PASSWORD"))

"""Rules of mutations that take no record: what belongs to the viewer, and what is yet to be made."""

from collections.abc import Iterator

from auth.viewer import Viewer
from domain.enums import UserErrorCode
from domain.errors import UserError, user_error
from resolvers.core.rules import RecordRules

HAS_SECOND_FACTOR = user_error(
    UserErrorCode.CONFLICT, "You have a second factor. Remove it before you set up another one."
)
NOTHING_TO_CONFIRM = user_error(
    UserErrorCode.CONFLICT, "There is nothing to confirm. Begin with `secondFactorEnrol`.", "code"
)

VIEWER = RecordRules("Viewer", state=lambda viewer: viewer)
VIEWER.by_role(
    "assessorHandOver", "disclaimerAccept", "employerCreate", "fileUploadCreate", "learnerEnrol", "logout",
    "passwordChange", "providerSettingsUpdate", "roleSwitch", "sessionBook", "sessionBookMany",
    "sessionCompleteMany", "userInvite",
)  # fmt: skip


@VIEWER.rule("cvSectionSave", "cvDocumentAdd", "cvDocumentRemove", "photoSet")
def _own_record(viewer: Viewer, same: Viewer) -> Iterator[UserError]:
    if viewer.learner_key is None:
        message = "You have no learner record, so you cannot have a CV or a photo here."
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
        yield user_error(UserErrorCode.CONFLICT, "You have no second factor, so there is nothing to remove.")


@VIEWER.rule("signingCodeRequest")
def _request_code(viewer: Viewer, same: Viewer) -> Iterator[UserError]:
    if viewer.has_password:
        yield user_error(UserErrorCode.INVALID, "You have a password. Sign with it; you need no code.")

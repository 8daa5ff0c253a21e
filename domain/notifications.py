"""Which tasks a person gets e-mails and push messages about."""

from collections.abc import Sequence

from domain.enums import TaskKind

# Of who has chosen nothing: what is mailed in the moment at which it happens, with its words.
DEFAULT_EMAIL_FOR = (
    TaskKind.SIGN_DOCUMENT,
    TaskKind.SIGN_REVIEW,
    TaskKind.ASSESS_EVIDENCE,
    TaskKind.RESUBMIT_EVIDENCE,
    TaskKind.ANSWER_SAMPLE,
)
# Tasks of these kinds arise with an e-mail that has the words of who made them.
MAILED_AT_ONCE = (
    TaskKind.SIGN_DOCUMENT,
    TaskKind.SIGN_REVIEW,
    TaskKind.RESUBMIT_EVIDENCE,
    TaskKind.ANSWER_SAMPLE,
)
# Of who has chosen nothing: what somebody else has requested of the person.
DEFAULT_PUSH_FOR = (
    *DEFAULT_EMAIL_FOR,
    TaskKind.SIGN_UNIT,
    TaskKind.ANSWER_REVIEW,
    TaskKind.RESPOND_TO_ACTION,
    TaskKind.APPROVE_TIME,
    TaskKind.CONFIRM_TIME,
)


def email_kinds(chosen: Sequence[str] | None) -> list[TaskKind]:
    """Returns the kinds of task that a person gets e-mails about; `chosen` are their names, None before a choice."""
    if chosen is None:
        return list(DEFAULT_EMAIL_FOR)
    return [kind for kind in TaskKind if kind.value in chosen]


def push_kinds(chosen: Sequence[str] | None) -> list[TaskKind]:
    """Returns the kinds of task of which a person's browsers are notified; `chosen` as for `email_kinds`."""
    kinds = [kind.value for kind in DEFAULT_PUSH_FOR] if chosen is None else chosen
    return [kind for kind in TaskKind if kind.value in kinds]

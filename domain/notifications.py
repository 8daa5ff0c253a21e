"""Which tasks a person gets e-mails about."""

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


def email_kinds(chosen: Sequence[str] | None) -> list[TaskKind]:
    """Returns the kinds of task that a person gets e-mails about; `chosen` are their names, None before a choice."""
    if chosen is None:
        return list(DEFAULT_EMAIL_FOR)
    return [kind for kind in TaskKind if kind.value in chosen]

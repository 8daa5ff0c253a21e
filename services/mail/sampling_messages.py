"""The texts of the e-mails about sampling, between an IQA and an assessor."""

from domain.mail import Mail
from services.mail.text import make_mail

SAMPLE_CONCLUDED = "sample_concluded"
SAMPLE_ANSWERED = "sample_answered"


def sample_concluded(*, name: str, iqa: str, rejected: bool) -> Mail:
    """Tells an assessor that a unit of theirs was sampled, and what they must do."""
    what = (
        "The sign-off of the unit was withdrawn. Read the findings, correct what they name, and sign the unit again."
        if rejected
        else "Read the findings, complete the actions, and answer each of them."
    )
    return make_mail(
        SAMPLE_CONCLUDED,
        "A sampled unit needs your attention",
        f"""
Hello {name},

{iqa} has sampled a unit that you assess, and there is something for you to do.

{what}
""",
    )


def sample_answered(*, name: str, assessor: str) -> Mail:
    """Notifies an IQA that the assessor has answered an action of a sample."""
    return make_mail(
        SAMPLE_ANSWERED,
        "A sampling action was answered",
        f"""
Hello {name},

{assessor} has answered an action that you set for a sample. Read the answer, and close the action if nothing is left
to do.
""",
    )

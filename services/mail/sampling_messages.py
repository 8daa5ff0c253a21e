"""The texts of the e-mails about sampling, between an IQA and an assessor."""

from domain.mail import Mail
from services.mail.text import make_mail

SAMPLE_CONCLUDED = "sample_concluded"
SAMPLE_ANSWERED = "sample_answered"


def sample_concluded(*, name: str, iqa: str, rejected: bool) -> Mail:
    """Tells an assessor that a sample of a unit of theirs needs something from them."""
    what = (
        "The sign-off of the unit was taken back. Read what was found, put it right, and sign the unit again."
        if rejected
        else "Read what was found, do what the actions say, and answer each of them."
    )
    return make_mail(
        SAMPLE_CONCLUDED,
        "A sampled unit needs your attention",
        f"""
Hello {name},

{iqa} has looked at a unit that you assess, and something is left to do.

{what}
""",
    )


def sample_answered(*, name: str, assessor: str) -> Mail:
    """Notifies an IQA that the assessor has answered an action of a sample."""
    return make_mail(
        SAMPLE_ANSWERED,
        "An action of a sample was answered",
        f"""
Hello {name},

{assessor} has answered an action of a sample of yours. Read the answer, and close the action if nothing is left to do.
""",
    )

"""The texts of the e-mails to people who sign one document without an account."""

import datetime as dt

from domain.mail import Mail
from services.mail.messages import GUEST_CODE, GUEST_INVITATION
from services.mail.text import format_time, make_mail


def guest_invitation(
    *,
    name: str,
    document: str,
    learner: str,
    invited_by: str,
    provider: str,
    role: str,
    link: str,
    valid_until: dt.datetime,
) -> Mail:
    """The link to read and sign one document. `role` in words with its article ("an Employer Manager")."""
    return make_mail(
        GUEST_INVITATION,
        f"Please sign: {document}",
        f"""
Hello {name},

{invited_by} of {provider} asks you to sign "{document}" about {learner}, as {role}. You need no account. Open this
link, read the document, and request a code to sign it with: the code is sent to this address. The link works until
{format_time(valid_until)}, for this document only:

{link}

The link is only for you: please do not share it. If you do not know {provider}, ignore this e-mail.
""",
    )


def guest_code(*, name: str, document: str, code: str, valid_until: dt.datetime) -> Mail:
    """The code with which a guest signs the document that they have opened."""
    return make_mail(
        GUEST_CODE,
        "Your code to sign a document",
        f"""
Hello {name},

Your code to sign "{document}" is:

{code}

It works once, until {format_time(valid_until)}, on the page that you opened. If you did not request it, ignore this
e-mail: nothing is signed without the code.
""",
    )

"""The texts of the e-mails about codes, second factors, and sign-in through an identity provider."""

import datetime as dt

from domain.mail import Mail
from services.mail.messages import IDENTITY_LINKED, SECOND_FACTOR_CHANGED, SIGNING_CODE
from services.mail.text import format_time, make_mail


def signing_code(*, name: str, code: str, valid_until: dt.datetime) -> Mail:
    """The code with which a person without a password confirms one signature."""
    return make_mail(
        SIGNING_CODE,
        "Your code to sign in Waymark",
        f"""
Hello {name},

Your code to confirm a signature is:

{code}

It works once, until {format_time(valid_until)}, on the device on which you requested it. If you did not request it,
somebody else may be using your account: tell your training provider.
""",
    )


def second_factor_changed(*, name: str, username: str, what: str, at: dt.datetime) -> Mail:
    """Tells the owner of an account what happened to its second factor; `what` is a sentence or two."""
    return make_mail(
        SECOND_FACTOR_CHANGED,
        "The second factor of your Waymark account",
        f"""
Hello {name},

This is about your Waymark account {username}, on {format_time(at)}:

{what}

If this was not you, change your password, and tell your training provider.
""",
    )


def identity_linked(*, name: str, username: str, where: str, at: dt.datetime) -> Mail:
    """Tells the owner of an account that they can sign in through an identity provider from now on."""
    return make_mail(
        IDENTITY_LINKED,
        "A new way to sign in to Waymark",
        f"""
Hello {name},

Somebody signed in to your Waymark account {username} with {where} for the first time, on {format_time(at)}. If this
was you, you can always sign in that way now. If you have a password, it still works.

If this was not you, tell your training provider.
""",
    )

"""The texts of the e-mails that Waymark sends: plain text, one function each."""

import datetime as dt
import unicodedata
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from domain.clock import LONDON
from domain.mail import Mail

WELCOME = "welcome"
PASSWORD_RESET = "password_reset"
PASSWORD_CHANGED = "password_changed"
EVIDENCE_RETURNED = "evidence_returned"
EVIDENCE_RESUBMITTED = "evidence_resubmitted"
EVIDENCE_WITHDRAWN = "evidence_withdrawn"
SIGNATURE_REQUESTED = "signature_requested"
SESSION_BOOKED = "session_booked"
MESSAGE = "message"

# Their links give access to an account, so their bodies are deleted once they are sent.
CARRIES_SECRET = frozenset({WELCOME, PASSWORD_RESET})

MAX_SUBJECT_LENGTH = 200


class BadAddress(ValueError):
    """The text is not an e-mail address, so that no attempt to send to it can succeed."""


def welcome(*, name: str, username: str, provider: str, role: str, link: str, good_until: dt.datetime) -> Mail:
    """The invitation. `role` in words ("Employer Manager"); `link` opens the page to choose a password, once."""
    return _mail(
        WELCOME,
        f"Your Waymark account with {provider}",
        f"""
Hello {name},

{provider} has made an account for you in Waymark, the e-portfolio for its apprenticeships. Your role is {role}.

Your username: {username}

Open this link to choose your password. It works once, until {_format_time(good_until)}:

{link}

Choose a password that you will remember: you need it to sign in, and again each time you sign a document. When you
first sign in, please read and accept the disclaimer.

If you did not expect this e-mail, ignore it: nobody can use the account without the link.
""",
    )


def password_reset(*, name: str, username: str, link: str, good_until: dt.datetime) -> Mail:
    """The link to choose a new password, for a person who forgot theirs."""
    return _mail(
        PASSWORD_RESET,
        "Choose a new Waymark password",
        f"""
Hello {name},

A new password was requested for the Waymark account {username}. Open this link to choose one. It works once, until
{_format_time(good_until)}:

{link}

If you did not request it, ignore this e-mail: your password stays the same.
""",
    )


def password_changed(*, name: str, username: str, at: dt.datetime) -> Mail:
    """Tells the owner of an account that its password was changed, reset or chosen for the first time."""
    return _mail(
        PASSWORD_CHANGED,
        "Your Waymark password was changed",
        f"""
Hello {name},

The password of your Waymark account {username} was set on {_format_time(at)}. You were signed out on every other
device, and links to choose a password that were sent before no longer work.

If this was not you, request a new password on the sign-in page, and tell your training provider.
""",
    )


def evidence_returned(*, name: str, title: str, aim: str, assessor: str, points: str) -> Mail:
    """Tells the submitter of evidence what to improve, and to resubmit the same item."""
    return _mail(
        EVIDENCE_RETURNED,
        f"Points for improvement: {title}",
        f"""
Hello {name},

{assessor} has returned your evidence "{title}" for {aim}. Please improve it and submit it again.

Points for improvement:

{_quoted(points)}

To submit it again, open the same item in the evidence library and add the improved file with a comment. Please do not
upload it as a new item.
""",
    )


def evidence_resubmitted(*, name: str, learner: str, title: str, aim: str, comment: str) -> Mail:
    """Tells the assessor that resubmitted evidence is ready for assessment."""
    return _mail(
        EVIDENCE_RESUBMITTED,
        f"Ready for assessment: {title} ({learner})",
        f"""
Hello {name},

The evidence "{title}" by {learner} for {aim} was submitted again. It is ready for you to assess.

The comment:

{_quoted(comment)}
""",
    )


def evidence_withdrawn(*, name: str, title: str, aim: str, withdrawn_by: str, reason: str) -> Mail:
    """Tells the submitter of evidence that somebody else withdrew it, and why."""
    return _mail(
        EVIDENCE_WITHDRAWN,
        f"Withdrawn: {title}",
        f"""
Hello {name},

{withdrawn_by} has withdrawn the evidence "{title}" that you submitted for {aim}. It no longer counts, and you can still
read it in the evidence library.

The reason:

{_quoted(reason)}
""",
    )


def signature_requested(*, name: str, document: str, learner: str, requested_by: str) -> Mail:
    """Asks a person to sign a document about a learner."""
    return _mail(
        SIGNATURE_REQUESTED,
        f"Please sign: {document}",
        f"""
Hello {name},

{requested_by} asks you to sign the document "{document}" about {learner}.

In Waymark, open it under "Awaiting signature" and read it. Then sign it in your own row, with your password.
""",
    )


def session_booked(*, name: str, assessor: str, starts_at: dt.datetime, title: str) -> Mail:
    """Tells a learner when a session takes place that was booked or moved."""
    return _mail(
        SESSION_BOOKED,
        f"Session on {_format_time(starts_at)}",
        f"""
Hello {name},

{title} with {assessor} takes place on {_format_time(starts_at)}.

To see how to prepare, open the session in your learning plan and read its planning notes.
""",
    )


def message(*, name: str, sender: str, sender_email: str | None, about: str, subject: str, body: str) -> Mail:
    """A message from one person to another. `about`: learner and aim; replies go to `sender_email`, if given."""
    how_to_answer = "reply to this e-mail" if sender_email else "send a message in Waymark"
    return _mail(
        MESSAGE,
        subject,
        f"""
Hello {name},

{sender} sent you this message through Waymark about {about}:

{_quoted(body)}

To answer, {how_to_answer}. Please do not send work for assessment by e-mail: upload it to the evidence library.
""",
        sender_email,
    )


def address(text: str) -> Address:
    """An e-mail address that is safe in a header. Raises BadAddress."""
    try:
        if not text.isprintable() or " " in text:
            raise BadAddress("not an e-mail address")
        parsed = Address(addr_spec=text)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise BadAddress("not an e-mail address") from error
    if not parsed.username or not parsed.domain:
        raise BadAddress("not an e-mail address")
    return parsed


def render_mail(mail: Mail, *, to: str, sender: Address, number: int, created_at: dt.datetime) -> EmailMessage:
    """The message to send. `number` is the key of the outbox row, so that another attempt has the same Message-ID.

    Raises BadAddress if `to` or the mail's `reply_to` is not an address.
    """
    rendered = EmailMessage(policy=SMTP)
    rendered["Message-ID"] = f"<outbox.{number}.{int(created_at.timestamp() * 1_000_000)}@{sender.domain}>"
    rendered["Date"] = created_at
    rendered["From"] = sender
    rendered["To"] = address(to)
    if mail.reply_to is not None:
        rendered["Reply-To"] = address(mail.reply_to)
    rendered["Subject"] = header_line(mail.subject)
    rendered["Auto-Submitted"] = "auto-generated"
    rendered.set_content(mail.body)
    return rendered


def header_line(text: str) -> str:
    """Text for a header: no line breaks, no control or invisible characters, at most 200 characters."""
    visible = (c for c in text if unicodedata.category(c) not in {"Cf", "Cs"})
    spaced = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp", "Zs"} else c for c in visible)
    return " ".join(spaced.split())[:MAX_SUBJECT_LENGTH]


def _mail(kind: str, subject: str, body: str, reply_to: str | None = None) -> Mail:
    # JSON can carry lone surrogates, which cannot be encoded as UTF-8: replaced, or the mail could never be sent.
    body = body.strip("\n").encode("utf-8", "replace").decode()
    return Mail(kind, header_line(subject), f"{body}\n", reply_to)


def _quoted(text: str) -> str:
    """A person's words as a quotation, so that no paragraph of theirs can look like one from Waymark."""
    lines = text.strip().splitlines() or ["(nothing)"]
    return "\n".join(f"> {''.join(c for c in line if c.isprintable() or c == chr(9))}".rstrip() for line in lines)


def _format_time(at: dt.datetime) -> str:
    local = at.astimezone(LONDON)
    return f"{local.day} {local:%B %Y} at {local:%H:%M}"

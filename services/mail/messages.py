"""The e-mails that Waymark sends, word for word; plain text, a small function each."""

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
SIGNATURE_ASKED = "signature_asked"
SESSION_BOOKED = "session_booked"
DISCLAIMER_CHANGED = "disclaimer_changed"
MESSAGE = "message"

# Their link signs somebody in: once they have gone out, the words are not kept.
CARRIES_SECRET = frozenset({WELCOME, PASSWORD_RESET})

SUBJECT_LENGTH = 200


class BadAddress(ValueError):
    """What stands where an e-mail address should is none; no try will ever succeed."""


def welcome(*, name: str, username: str, provider: str, role: str, link: str, good_until: dt.datetime) -> Mail:
    """The invitation. `role` in words ("Employer Manager"); `link` lets the person choose a password, once."""
    return _mail(
        WELCOME,
        f"Your Waymark account with {provider}",
        f"""
Hello {name},

{provider} has made an account for you in Waymark, the e-portfolio of its apprenticeships. Your role is {role}.

Your username: {username}

Open this link to choose your password. It works once, until {_format_time(good_until)}:

{link}

Choose a password that you will remember: you sign in with it, and you enter it again whenever you sign a document. The
first time you sign in you will be asked to read and accept the disclaimer.

If you did not expect this message, you need not do anything: without the link nobody can use the account.
""",
    )


def password_reset(*, name: str, username: str, link: str, good_until: dt.datetime) -> Mail:
    """The way back in for somebody who forgot the password."""
    return _mail(
        PASSWORD_RESET,
        "Choose a new Waymark password",
        f"""
Hello {name},

Somebody, we think you, asked for a new password for the Waymark account {username}. Open this link to choose one. It
works once, until {_format_time(good_until)}:

{link}

If it was not you, ignore this message: your password stays as it is.
""",
    )


def password_changed(*, name: str, username: str, at: dt.datetime) -> Mail:
    """Tells the owner of an account that its password is another now."""
    return _mail(
        PASSWORD_CHANGED,
        "Your Waymark password was changed",
        f"""
Hello {name},

The password of your Waymark account {username} was changed on {_format_time(at)}. You were signed out on every device.

If it was not you, ask for a new password on the sign-in page, and tell your training provider.
""",
    )


def evidence_returned(*, name: str, title: str, aim: str, assessor: str, points: str) -> Mail:
    """To whoever submitted evidence: what to improve, and that it goes back on the same item."""
    return _mail(
        EVIDENCE_RETURNED,
        f"Points for improvement: {title}",
        f"""
Hello {name},

{assessor} has looked at your evidence "{title}" for {aim} and asks you to work on it again.

Points for improvement:

{_quoted(points)}

Open the same item in your evidence library, add the amended file there with a comment, and submit it again. Please do
not upload it as a new item.
""",
    )


def evidence_resubmitted(*, name: str, learner: str, title: str, aim: str, comment: str) -> Mail:
    """To the assessor: resubmitted evidence is ready for assessment."""
    return _mail(
        EVIDENCE_RESUBMITTED,
        f"Ready for assessment: {title} ({learner})",
        f"""
Hello {name},

{learner} has resubmitted the evidence "{title}" for {aim}. It is ready for your assessment.

Their comment:

{_quoted(comment)}
""",
    )


def signature_asked(*, name: str, document: str, learner: str, asked_by: str) -> Mail:
    """To a person in whose role a document is to be signed."""
    return _mail(
        SIGNATURE_ASKED,
        f"Please sign: {document}",
        f"""
Hello {name},

{asked_by} asks you to sign the document "{document}" of {learner}. You find it in Waymark under Awaiting signature.
Open and read it there first; then sign in your own row with your password.
""",
    )


def session_booked(*, name: str, learner: str, assessor: str, starts_at: dt.datetime, title: str) -> Mail:
    """To a learner: a session was put into their learning plan, or moved."""
    return _mail(
        SESSION_BOOKED,
        f"Session on {_format_time(starts_at)}",
        f"""
Hello {name},

{title} with {assessor} is booked for {learner} on {_format_time(starts_at)}. What to prepare stands in the learning plan,
under the planning notes of the session.
""",
    )


def disclaimer_changed(*, name: str, provider: str) -> Mail:
    """To everybody of a provider whose disclaimer has other words now."""
    return _mail(
        DISCLAIMER_CHANGED,
        f"{provider} has changed its disclaimer",
        f"""
Hello {name},

{provider} has changed the disclaimer of its e-portfolio. The next time you use Waymark you will be asked to read and
accept it before you can go on.
""",
    )


def message(*, name: str, sender: str, sender_email: str | None, about: str, subject: str, body: str) -> Mail:
    """One person's words to another. `about`: the learner and the aim; answers go to `sender_email`, if given."""
    return _mail(
        MESSAGE,
        subject,
        f"""
Hello {name},

{sender} sent you this message through Waymark about {about}:

{_quoted(body)}

{"Answer this e-mail to write back." if sender_email else "Answer through Waymark."} Work for \
assessment goes through the evidence library, never by message.
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
    """The message as it goes out. `number` is the outbox row's: sending it again gives the same Message-ID.

    Raises BadAddress where `to` or the mail's `reply_to` is no address.
    """
    made = EmailMessage(policy=SMTP)
    made["Message-ID"] = f"<outbox.{number}.{int(created_at.timestamp() * 1_000_000)}@{sender.domain}>"
    made["Date"] = created_at
    made["From"] = sender
    made["To"] = address(to)
    if mail.reply_to is not None:
        made["Reply-To"] = address(mail.reply_to)
    made["Subject"] = one_line(mail.subject)
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(mail.body)
    return made


def one_line(text: str) -> str:
    """Text for a header: no line breaks, no control or invisible characters, at most 200 characters."""
    visible = (c for c in text if unicodedata.category(c) not in {"Cf", "Cs"})
    spaced = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp", "Zs"} else c for c in visible)
    return " ".join(spaced.split())[:SUBJECT_LENGTH]


def _mail(kind: str, subject: str, body: str, reply_to: str | None = None) -> Mail:
    # Lone surrogates come through JSON but cannot be encoded; better a question mark than a mail that never goes.
    body = body.strip("\n").encode("utf-8", "replace").decode()
    return Mail(kind, one_line(subject), f"{body}\n", reply_to)


def _quoted(text: str) -> str:
    """Somebody's words, set off from ours, so that nobody can write a paragraph that seems to come from Waymark."""
    lines = text.strip().splitlines() or ["(nothing)"]
    return "\n".join(f"> {''.join(c for c in line if c.isprintable() or c == chr(9))}".rstrip() for line in lines)


def _format_time(at: dt.datetime) -> str:
    local = at.astimezone(LONDON)
    return f"{local.day} {local:%B %Y} at {local:%H:%M}"

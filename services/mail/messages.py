"""The texts of the e-mails that Waymark sends: plain text, one function each."""

import datetime as dt
from email.errors import HeaderParseError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from typing import cast

import idna

from domain.mail import Mail
from services.mail.calendar_entry import addressed
from services.mail.text import format_time, header_line, make_mail, quoted

WELCOME = "welcome"
PASSWORD_RESET = "password_reset"
PASSWORD_CHANGED = "password_changed"
SIGNING_CODE = "signing_code"
GUEST_INVITATION = "guest_invitation"
GUEST_CODE = "guest_code"
SECOND_FACTOR_CHANGED = "second_factor_changed"
IDENTITY_LINKED = "identity_linked"
EMAIL_CONFIRMATION = "email_confirmation"
EMAIL_CHANGE_REQUESTED = "email_change_requested"
EVIDENCE_RETURNED = "evidence_returned"
EVIDENCE_RESUBMITTED = "evidence_resubmitted"
EVIDENCE_WITHDRAWN = "evidence_withdrawn"
SIGNATURE_REQUESTED = "signature_requested"
MESSAGE = "message"

# Their links and codes give access to an account, so their bodies are deleted once they are sent.
CARRIES_SECRET = frozenset({WELCOME, PASSWORD_RESET, EMAIL_CONFIRMATION, SIGNING_CODE, GUEST_INVITATION, GUEST_CODE})


class _UnfoldedHeader(UnstructuredHeader):
    """A header on one line, however long: an address that is folded is no address to a mail program."""

    # The registry adds the base class of all headers.
    name: str

    def fold(self, *, policy: Policy) -> str:
        """Returns the header as it is sent."""
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
# Characters before the @; servers refuse more (RFC 5321).
_MAX_LOCAL_PART = 64
_HEADERS.map_to_type("list-unsubscribe", cast(type[BaseHeader], _UnfoldedHeader))
_POLICY = SMTP.clone(header_factory=_HEADERS)


class BadAddress(ValueError):
    """The text is not an e-mail address, so that no attempt to send to it can succeed."""


def welcome(*, name: str, username: str, provider: str, role: str, link: str, valid_until: dt.datetime) -> Mail:
    """The invitation. `role` in words ("Employer Manager"); `link` opens the page to choose a password, once."""
    return make_mail(
        WELCOME,
        f"Your Waymark account with {provider}",
        f"""
Hello {name},

{provider} has created an account for you in Waymark, the e-portfolio for its apprenticeships. Your role is {role}.

Your username: {username}

Open this link to choose your password. It works once, until {format_time(valid_until)}:

{link}

Choose a password that you will remember: you need it to sign in, and again each time you sign a document. When you
first sign in, please read and accept the disclaimer.

If you did not expect this e-mail, ignore it: nobody can use the account without the link.
""",
    )


def password_reset(*, name: str, username: str, provider: str, link: str, valid_until: dt.datetime) -> Mail:
    """The link to choose a new password, for a person who forgot theirs."""
    return make_mail(
        PASSWORD_RESET,
        "Choose a new Waymark password",
        f"""
Hello {name},

A new password was requested for the Waymark account {username} at {provider}. Open this link to choose one. It works
once, until {format_time(valid_until)}:

{link}

If you did not request it, ignore this e-mail: your password stays the same.
""",
    )


def password_changed(*, name: str, username: str, at: dt.datetime) -> Mail:
    """Tells the owner of an account that its password was changed, reset or chosen for the first time."""
    return make_mail(
        PASSWORD_CHANGED,
        "Your Waymark password was changed",
        f"""
Hello {name},

The password of your Waymark account {username} was set on {format_time(at)}. You were signed out on every other
device, and links to choose a password that were sent before no longer work.

If this was not you, request a new password on the sign-in page, and tell your training provider.
""",
    )


def email_confirmation(*, name: str, provider: str, link: str, valid_until: dt.datetime) -> Mail:
    """Asks the owner of a new address to confirm that it is theirs."""
    return make_mail(
        EMAIL_CONFIRMATION,
        "Confirm your e-mail address",
        f"""
Hello {name},

{provider} has changed the e-mail address of your Waymark account to this one. Open this link to confirm it. It works
once, until {format_time(valid_until)}:

{link}

Until then your previous address is used. If you do not know {provider}, ignore this e-mail.
""",
    )


def email_change_requested(*, name: str, provider: str) -> Mail:
    """Tells the old address that another one will take its place."""
    return make_mail(
        EMAIL_CHANGE_REQUESTED,
        "Your e-mail address is being changed",
        f"""
Hello {name},

{provider} has entered another e-mail address for your Waymark account. It replaces this one when you
confirm it. Links that were sent to this address before no longer work.

If you did not expect this, tell {provider}.
""",
    )


def evidence_returned(*, name: str, title: str, aim: str, assessor: str, points: str) -> Mail:
    """Tells the submitter of evidence what to improve, and to resubmit the same item."""
    return make_mail(
        EVIDENCE_RETURNED,
        f"Points for improvement: {title}",
        f"""
Hello {name},

{assessor} has returned your evidence "{title}" for {aim}. Please improve it and submit it again.

Points for improvement:

{quoted(points)}

To submit it again, open the same item in the evidence library and add the improved file with a comment. Please do not
upload it as a new item.
""",
    )


def evidence_resubmitted(*, name: str, learner: str, title: str, aim: str, comment: str) -> Mail:
    """Tells the assessor that resubmitted evidence is ready for assessment."""
    return make_mail(
        EVIDENCE_RESUBMITTED,
        f"Ready for assessment: {title} ({learner})",
        f"""
Hello {name},

The evidence "{title}" by {learner} for {aim} was submitted again. It is ready for you to assess.

The comment:

{quoted(comment)}
""",
    )


def evidence_withdrawn(*, name: str, title: str, aim: str, withdrawn_by: str, reason: str) -> Mail:
    """Tells the submitter of evidence that somebody else withdrew it, and why."""
    return make_mail(
        EVIDENCE_WITHDRAWN,
        f"Withdrawn: {title}",
        f"""
Hello {name},

{withdrawn_by} has withdrawn the evidence "{title}" that you submitted for {aim}. It no longer counts, and you can still
read it in the evidence library.

The reason:

{quoted(reason)}
""",
    )


def signature_requested(*, name: str, document: str, learner: str, requested_by: str) -> Mail:
    """Requests a signature on a document about a learner."""
    return make_mail(
        SIGNATURE_REQUESTED,
        f"Please sign: {document}",
        f"""
Hello {name},

{requested_by} asks you to sign the document "{document}" about {learner}.

In Waymark, open it under "Awaiting signature" and read it. Then sign it: you confirm with your password,
or with a code if you have no password.
""",
    )


def message(*, name: str, sender: str, sender_email: str | None, about: str, subject: str, body: str) -> Mail:
    """A message from one person to another. `about`: learner and aim; replies go to `sender_email`, if given."""
    how_to_answer = "reply to this e-mail" if sender_email else "send a message in Waymark"
    return make_mail(
        MESSAGE,
        subject,
        f"""
Hello {name},

{sender} sent you this message through Waymark about {about}:

{quoted(body)}

To answer, {how_to_answer}. Please do not send work for assessment by e-mail: upload it to the evidence library.
""",
        sender_email,
    )


def address(text: str) -> Address:
    """An e-mail address that is safe in a header, its domain in ASCII as IDNA writes it. Raises BadAddress."""
    try:
        if not text.isprintable() or " " in text:
            raise BadAddress("not an e-mail address")
        parsed = Address(addr_spec=text)
    except (HeaderParseError, ValueError, IndexError) as error:
        raise BadAddress("not an e-mail address") from error
    if not parsed.username or not parsed.domain:
        raise BadAddress("not an e-mail address")
    return Address(username=parsed.username, domain=_ascii_domain(parsed.domain))


def person_address(text: str) -> Address:
    """The e-mail address of a person: as `address`, its domain has a dot, and servers take it. Raises BadAddress."""
    parsed = address(text)
    labels = parsed.domain.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or len(parsed.username) > _MAX_LOCAL_PART:
        raise BadAddress("not an e-mail address")
    return parsed


def _ascii_domain(domain: str) -> str:
    """The domain as IDNA writes it in ASCII. Raises BadAddress."""
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as error:
        raise BadAddress("not an e-mail address") from error


def render_mail(mail: Mail, *, to: str, sender: Address, number: int, created_at: dt.datetime) -> EmailMessage:
    """The message to send. `number` is the key of the outbox row, so that another attempt has the same Message-ID.

    Raises BadAddress if `to` or the mail's `reply_to` is not an address.
    """
    rendered = EmailMessage(policy=_POLICY)
    rendered["Message-ID"] = f"<outbox.{number}.{int(created_at.timestamp() * 1_000_000)}@{sender.domain}>"
    rendered["Date"] = created_at
    rendered["From"] = sender
    rendered["To"] = address(to)
    if mail.reply_to is not None:
        rendered["Reply-To"] = address(mail.reply_to)
    rendered["Subject"] = header_line(mail.subject)
    rendered["Auto-Submitted"] = "auto-generated"
    if mail.unsubscribe_url is not None:
        # RFC 8058: the mail program shows a button of its own, which sends a POST.
        rendered["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        rendered["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    rendered.set_content(mail.body)
    if mail.calendar is not None:
        recipient = address(to).addr_spec
        entry, method = addressed(mail.calendar, organizer=sender, attendee=recipient, created_at=created_at)
        # Beside the text for clients that show an invitation, and attached for those that do not.
        rendered.add_alternative(entry, subtype="calendar", params={"method": method})
        rendered.add_attachment(entry.encode(), maintype="text", subtype="calendar", filename="session.ics",
            params={"charset": "utf-8", "method": method},
        )  # fmt: skip
    return rendered

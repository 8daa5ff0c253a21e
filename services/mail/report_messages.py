"""The texts of the e-mails about scheduled reports: a link, never the data."""

from domain.bulk_exports import FAILURES, KEPT
from domain.mail import Mail
from services.mail.text import make_mail

REPORT_READY = "report_ready"
REPORT_FAILED = "report_failed"
_END = """
You get this e-mail because you scheduled the report. To stop these e-mails, end the schedule in Waymark.
"""


def report_ready(*, name: str, operation: str, link: str, failure: str | None = None) -> Mail:
    """Tells who scheduled a report where its file is."""
    return make_mail(
        REPORT_READY,
        f"Your report is ready: {operation}",
        f"""
Hello {name},

The report {operation} that you scheduled is ready. Open this link to download it, with one of your access keys as the
password. The file is kept for {KEPT.days} days:

{link}
{_END}""",
    )


def report_failed(*, name: str, operation: str, link: str, failure: str | None) -> Mail:
    """Tells who scheduled a report that it could not be made, and why."""
    return make_mail(
        REPORT_FAILED,
        f"Your report could not be made: {operation}",
        f"""
Hello {name},

The report {operation} that you scheduled could not be made. {FAILURES[failure or "INTERNAL"]}
{_END}""",
    )

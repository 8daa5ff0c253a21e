"""E-mails about a task, which its recipient may have ended, and the link that ends their kind."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from auth.lasting_links import UNSUBSCRIBE
from domain.enums import TaskKind
from domain.mail import Mail
from domain.notifications import email_kinds
from resolvers.core.context import Services
from resolvers.core.unit_of_work import UnitOfWork

# What the link in the daily e-mail ends, in place of a kind of task.
DIGEST = "DIGEST"


def unsubscribe_url(services: Services, user_key: int, what: str) -> str:
    """Returns the address that ends a kind of e-mail of a user: the name of a `TaskKind`, or `DIGEST`."""
    return f"{services.base_url}/unsubscribe?token={services.lasting_links.sign(UNSUBSCRIBE, str(user_key), what)}"


def send_task_mail(
    uow: UnitOfWork, kind: TaskKind, user_key: int, to: str, chosen: Sequence[str] | None, mail: Mail, *about: Any
) -> None:
    """Sends an e-mail about a task, as `UnitOfWork.send_mail`, unless the user has ended this kind (`chosen`)."""
    if kind in email_kinds(chosen):
        ends = unsubscribe_url(uow.services, user_key, kind.value)
        uow.send_mail(to, dataclasses.replace(mail, unsubscribe_url=ends), *about)

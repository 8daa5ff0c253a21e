"""Sends e-mails about tasks while the server runs: as they arise, once a day, and as reminders while they wait.

Browsers that a user has added are notified of tasks as they arise, in the same pass.

Every process tries, and one at a time works on a provider. An e-mail is written to the outbox in the transaction that
notes it, so that each is sent once.
"""

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from auth.viewer import viewer_of
from db.models.outbox import outbox_mail
from db.outages import CommitOutcomeUnknown, OutageLog
from domain import clock
from domain.enums import EvidenceStatus, Role, TaskKind
from domain.mail import Mail
from domain.notifications import MAILED_AT_ONCE, email_kinds
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from loaders.learner import LearnerLoader
from loaders.task import TaskRow, first_tasks, subject, task_counts
from repositories import task_email as repository
from resolvers.core.context import Services
from resolvers.core.task_mail import DIGEST, unsubscribe_url
from resolvers.task_push import arises_at, write_messages
from services.mail.task_messages import MAX_LINES, TaskLine, tasks_arose, tasks_today, tasks_wait

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 60.0
# Of one user: tasks of one e-mail. Of more, the next pass sends the rest.
_MOST_TASKS = 200
_BATCH = 100


class TaskEmails:
    """Sends what is due, in one process: `run()` while the server runs."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.outages = OutageLog("task_emails")

    async def run(self) -> None:
        """Sends what is due every minute; never returns."""
        while True:
            try:
                await self.send_due()
                self.outages.worked()
            except (SQLAlchemyError, OSError, CommitOutcomeUnknown) as error:
                self.outages.failed(error)
            await asyncio.sleep(INTERVAL_SECONDS)

    async def send_due(self, now: dt.datetime | None = None) -> int:
        """Makes one pass over all providers; returns how many e-mails it wrote to the outbox."""
        moment, database, written = now or clock.now(), self._services.database, 0
        today, hour = clock.day_of(moment), moment.astimezone(clock.LONDON).hour
        # A read first: on SQLite a write needs the write lock, which an idle server should not take.
        for provider_key in await repository.providers_to_notify(database, moment, today, hour):
            # A little less than the interval, so that the same process can claim the provider again.
            every = dt.timedelta(seconds=INTERVAL_SECONDS * 0.9)
            async with database.writing() as session:
                if not await repository.claim_provider(session, provider_key, moment, every):
                    continue
            after = 0
            while True:
                users = await repository.users_to_notify(database, provider_key, moment, today, hour, after, _BATCH)
                if not users:
                    break
                roles = await repository.roles_of(database, [user.user_id for user in users])
                for user in users:
                    written += await self._send_to(user, roles[user.user_id], moment)
                after = users[-1].user_id
        if written:
            self._services.mail.wake()
        return written

    async def _send_to(self, user: Row[Any], roles: Sequence[Role], now: dt.datetime) -> int:
        """Writes the e-mails of one user; a defect that only they meet is logged, and keeps no other from theirs."""
        try:
            recipient = _Recipient(self._services, user, roles, now)
            if user.has_browsers and await write_messages(self._services, user, recipient.reading_in, now):
                self._services.push.wake()
            return await recipient.send()
        except (SQLAlchemyError, OSError, CommitOutcomeUnknown):
            # The database is away, for everybody.
            raise
        except Exception as error:
            # The class and not the message, which may quote a row.
            log.error("task_emails_failed", user=user.user_id, cause=type(error).__name__)
            return 0


class _Recipient:
    """One user, in all their roles."""

    def __init__(self, services: Services, user: Row[Any], roles: Sequence[Role], now: dt.datetime) -> None:
        self._services, self._user, self._now = services, user, now
        self._today, self._hour = clock.day_of(now), now.astimezone(clock.LONDON).hour
        self._kinds = email_kinds(user.email_for)
        self._loaders = [Loaders(self.reading_in(role)) for role in roles]

    def reading_in(self, role: Role) -> ReadSession:
        """Returns what reads as the user in a role."""
        services = self._services
        return ReadSession(
            services.database, viewer_of(self._user, role, self._now), services.qualifications, True, now=self._now
        )

    async def send(self) -> int:
        """Writes the e-mails that are due; returns how many."""
        user, written = self._user, 0
        if user.email_for:
            written += await self._send_new()
        if user.digest_hour is not None and user.digest_hour <= self._hour and self._before_today(user.digest_on):
            written += await self._send_digest()
        reminds = user.reminder_every_days and self._hour >= repository.MORNING
        if reminds and self._before_today(user.reminded_on):
            written += await self._send_reminders()
        return written

    def _before_today(self, day: dt.date | None) -> bool:
        return day is None or day < self._today

    # ------------------------------------------------------------ what arose

    async def _send_new(self) -> int:
        since = self._user.notified_at
        found = []
        for loaders in self._loaders:
            kinds = [kind for kind in self._kinds if kind not in MAILED_AT_ONCE]
            arose = await first_tasks(loaders.reading, kinds, _MOST_TASKS, since) if kinds else []
            arose = [task for task in arose if since is None or since < arises_at(task) <= self._now]
            found += [(loaders, task) for task in await _not_mailed(loaders, arose)]
        if not found:
            return 0
        mails = await self._mails(found, tasks_arose)
        return await self._write(mails, "notified_at", since, self._now)

    async def _send_digest(self) -> int:
        counts: dict[TaskKind, int] = {}
        found = []
        for loaders in self._loaders:
            for each in await task_counts(loaders.reading):
                if each.count:
                    counts[each.kind] = counts.get(each.kind, 0) + each.count
            found += [(loaders, task) for task in await first_tasks(loaders.reading, None, MAX_LINES)]
        found.sort(key=lambda pair: pair[1].urgency)
        mails = []
        if found:
            mail = tasks_today(
                name=self._user.name,
                counts=[(kind, counts[kind]) for kind in TaskKind if kind in counts],
                tasks=await _lines(found[:MAX_LINES]),
                start=f"{self._services.base_url}/",
                stop=unsubscribe_url(self._services, self._user.user_id, DIGEST),
            )
            mails = [mail]
        return await self._write(mails, "digest_on", self._user.digest_on, self._today)

    async def _send_reminders(self) -> int:
        every = dt.timedelta(days=self._user.reminder_every_days)
        reminded = await repository.reminders_of(self._services.database, self._user.user_id)
        found = []
        for loaders in self._loaders:
            waiting = await first_tasks(loaders.reading, self._kinds, _MOST_TASKS) if self._kinds else []
            found += [
                (loaders, task)
                for task in waiting
                if self._today - clock.day_of(max(arises_at(task), reminded.get(task.key, arises_at(task)))) >= every
            ]
        mails = await self._mails(found, tasks_wait)
        keys = sorted({task.key for _, task in found})
        return await self._write(mails, "reminded_on", self._user.reminded_on, self._today, keys)

    # ------------------------------------------------------------ writing

    async def _mails(self, found: list[tuple[Loaders, TaskRow]], make: Any) -> list[Mail]:
        """Returns one e-mail for each kind."""
        mails = []
        for kind in TaskKind:
            tasks = [pair for pair in found if pair[1].kind is kind]
            if tasks:
                stop = unsubscribe_url(self._services, self._user.user_id, kind.value)
                start = f"{self._services.base_url}/"
                mails.append(make(name=self._user.name, kind=kind, tasks=await _lines(tasks), start=start, stop=stop))
        return mails

    async def _write(
        self, mails: Sequence[Mail], column: str, seen: Any, value: Any, reminded: list[int] | None = None
    ) -> int:
        """Writes the e-mails with the note that they were sent; none if another process was first."""
        user = self._user
        async with self._services.database.writing() as session:
            if not await repository.note(session, user.user_id, column, seen, value):
                return 0
            session.add_all(outbox_mail(user.provider_id, user.email, mail, self._now) for mail in mails)
            if reminded:
                await repository.note_reminders(session, user.provider_id, user.user_id, reminded, self._now)
            await session.flush()
        return len(mails)


async def _not_mailed(loaders: Loaders, tasks: Sequence[TaskRow]) -> list[TaskRow]:
    """Returns the tasks without those of evidence that was resubmitted, of which an e-mail is sent at once."""
    found = []
    for task in tasks:
        evidence = await subject(task, loaders) if task.kind is TaskKind.ASSESS_EVIDENCE else None
        if evidence is None or evidence.status is not EvidenceStatus.RESUBMITTED:
            found.append(task)
    return found


async def _lines(found: Sequence[tuple[Loaders, TaskRow]]) -> list[TaskLine]:
    lines = []
    for loaders, task in found:
        learner = await loaders[LearnerLoader].load(task.learner_key)
        lines.append(TaskLine(task.title, learner.name if learner else "", task.due_on))
    return lines

"""Push messages about tasks that arose, for each browser of a user in the role of its session."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row

from db.models.push_subscription import PushMessage
from domain import clock, global_id
from domain.day_number import FIRST_DAY
from domain.enums import Role, TaskKind
from domain.notifications import push_kinds
from loaders.core.read_session import ReadSession
from loaders.task import TaskRow, first_tasks, task_counts
from loaders.tasks.source import subject_of
from repositories import push_subscription as repository
from repositories.task_email import MORNING
from resolvers.core.context import Services
from services.mail.task_messages import counted

# Of one role: what of more arose at once is counted, and not looked at one by one.
_MOST_TASKS = 200


def arises_at(task: TaskRow) -> dt.datetime:
    """Returns when a task arose: of one that a day brings, that morning; of one that does not say, long ago."""
    moment = task.waiting_since
    if moment is None:
        return clock.start_of(FIRST_DAY)
    return moment if task.since_at is not None else clock.london_time(clock.day_of(moment), MORNING)


async def write_messages(
    services: Services, user: Row[Any], reading_in: Callable[[Role], ReadSession], now: dt.datetime
) -> int:
    """Writes the messages that are due to the browsers of a user, one for each kind of task; returns how many.

    `user`: a row of `repositories.task_email.users_to_notify`. Each browser gets what arose since its last messages,
    once for all processes.
    """
    kinds = push_kinds(user.push_for)
    devices = await repository.devices_of(services.database, user.user_id, now) if kinds else []
    due: list[tuple[Row[Any], list[PushMessage]]] = []
    for role in dict.fromkeys(device.role for device in devices):
        of_role, reading = [device for device in devices if device.role is role], reading_in(role)
        since = min(device.notified_at for device in of_role)
        arose = [
            task for task in await first_tasks(reading, kinds, _MOST_TASKS, since) if since < arises_at(task) <= now
        ]
        counts = {each.kind: each.count for each in await task_counts(reading)} if arose else {}
        for device in of_role:
            new = [task for task in arose if device.notified_at < arises_at(task)]
            if new:
                due.append((device, [_message(user, device.id, found, counts, now) for found in _by_kind(new)]))
    return await _write(services, due, now) if due else 0


async def _write(services: Services, due: Sequence[tuple[Row[Any], list[PushMessage]]], now: dt.datetime) -> int:
    written = 0
    async with services.database.writing() as session:
        for device, messages in due:
            if await repository.note(session, device.id, device.notified_at, now):
                session.add_all(messages)
                written += len(messages)
        await session.flush()
    return written


def _by_kind(tasks: Sequence[TaskRow]) -> list[list[TaskRow]]:
    return [found for kind in TaskKind if (found := [task for task in tasks if task.kind is kind])]


def _message(
    user: Row[Any], subscription_key: int, new: Sequence[TaskRow], counts: dict[TaskKind, int], now: dt.datetime
) -> PushMessage:
    """What the browser shows: how many tasks of a kind wait. It contains no names, as subjects of e-mails."""
    kind, total = new[0].kind, max(counts.get(new[0].kind, 0), len(new))
    are_new = "" if len(new) == total else f"{len(new)} of them {'is' if len(new) == 1 else 'are'} new."
    # One task opens its record; several open the page of their kind.
    content = {
        "title": counted(kind, total),
        "body": are_new,
        "open": _subject_id(new[0]) if len(new) == 1 else kind.value,
        "kind": kind.value,
    }
    return PushMessage(
        provider_id=user.provider_id, user_id=user.user_id, subscription_id=subscription_key, topic=kind.value,
        content=content, created_at=clock.now(), due_at=clock.now(),
    )  # fmt: skip


def _subject_id(task: TaskRow) -> str:
    source, key = subject_of(task.key)
    if isinstance(key, tuple):
        return global_id.encode_pair(source.subject, *key)
    return global_id.encode(source.subject, key)

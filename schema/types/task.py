"""Tasks: what waits for the viewer in the role in use."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from loaders import task as tasks
from loaders.learner import LearnerLoader
from loaders.task import TASKS, TaskCountRow, TaskRow
from schema.field_builders import argument, attribute, connection, loaded, related, resolved
from schema.relay import Connection, Node, node, value
from schema.task_enums import TaskKind

if TYPE_CHECKING:
    from schema.types.learner import Learner


@node(
    TaskRow,
    "Something that waits for the viewer. A task is derived and not stored: once it is done, anywhere, it is gone "
    "everywhere. What is withdrawn or on a break in learning is no task.",
)
class Task(Node):
    kind: TaskKind = attribute("What is to be done.")
    subject: Node = resolved(
        "The record that the task is about.",
        lambda row, info: tasks.subject(row, info.context.loaders),
        batch=lambda rows, info: tasks.subjects(rows, info.context.loaders),
        reads=("key",),
    )
    learner: Annotated["Learner", strawberry.lazy("schema.types.learner")] | None = loaded(
        "The learner whom the task is about.", LearnerLoader, by="learner_key"
    )
    title: str = attribute("What to do in a few words, such as `Assess the evidence: Risk assessment`.")
    due_on: dt.date | None = attribute("The day by which it should be done, in London; null if it has none.")
    overdue_days: int = attribute("Days since `dueOn`, in London; 0 if it is not overdue.")
    waiting_since: dt.datetime | None = attribute("When it began to wait.")


@value(TaskCountRow, "How many tasks of one kind wait for the viewer.")
class TaskCount:
    kind: TaskKind = attribute("The kind of task.")
    count: int = attribute("The number of tasks.")
    overdue_count: int = attribute("How many of them are overdue: the day by which they are due has passed.")


VIEWER_TASKS: Connection[Task] = connection(
    "What waits for the viewer in the role in use, most urgent first: by the day by which it is due, then what has no "
    "such day, the longest waiting first. An admin has no tasks of assessing or signing.",
    TASKS,
    kinds=argument(list[TaskKind], "Only tasks of these kinds."),
    due_by=argument(dt.date, "Only tasks that are due on this day or earlier."),
)
VIEWER_TASK_COUNTS: list[TaskCount] = related(
    "The number of tasks of each kind that the role in use can have, also of those of which none waits.",
    lambda viewer, loaders: tasks.task_counts(loaders.reading),
)

"""The select of a group of numbers over the records that a viewer sees, for any way of grouping them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, null, select

from db.sql.computed_once import computed_once

# Columns that are computed from those of the step before.
Step = Callable[[Any], Sequence[Any]]


class MetricSelect(NamedTuple):
    """The scoped select of a metric, and the columns with the keys of the learner and of the aim, 0 for no aim.

    `statement` selects the numbers; or, if there are `steps`, the rows that they are computed from. Each step computes
    its columns from those of the step before, once for each row, and the last one the numbers.
    """

    statement: Select
    learner_id: Any
    aim_id: Any
    steps: tuple[Step, ...] = ()

    def by(self, group_key: Any | None, statement: Select | None = None) -> Select:
        """Selects the numbers of each group with its `group_key`; None: of all rows together, with NULL.

        `statement` is that of the metric with further joins and conditions.
        """
        key = null() if group_key is None else group_key
        numbers = (self.statement if statement is None else statement).add_columns(key.label("group_key"))
        for step in self.steps:
            rows = computed_once(numbers).c
            key = null() if group_key is None else rows.group_key
            # unscoped: of the scoped rows above
            numbers = select(*step(rows), key.label("group_key"))
        return numbers if group_key is None else numbers.group_by(key)

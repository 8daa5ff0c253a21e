"""Random reviews and samples, for `tests/authorization/random_rows.py`."""

import datetime as dt
from random import Random
from typing import Any

from domain.enums import Role, SampleStatus
from tests.authorization.rows import Rows


class QualityRows:
    """Adds reviews and samples of the learner at hand to the rows of a generator."""

    chance: Random
    rows: Rows
    keys: dict[str, Any]
    now: dt.datetime
    today: dt.date
    row: Any
    request: Any

    def review(self, staff: int, session: int, number: int) -> None:
        made = self.row(
            "review", session_id=session, number=number, covers_from=self.today, updated_at=self.now, **self.keys
        )
        role = self.chance.choice((Role.ASSESSOR, Role.EMPLOYER_MANAGER))
        self.row(
            "review_answer", review_id=made["id"], role=role, answered_by_id=staff, answered_at=self.now, **self.keys
        )
        if self.chance.random() < 0.5:
            request = self.request(staff)
            # Its file is one of the session, so that it is visible with the session as the review is.
            file = next(row["file_id"] for row in self.rows["signature_request"] if row["id"] == request)
            self.row("session_file", session_id=session, file_id=file, **self.keys)
            replaced = self.chance.choice((None, None, self.now))
            self.row("review_document", review_id=made["id"], request_id=request, replaced_at=replaced, **self.keys)

    def sample(self, aim: dict[str, Any], staff: int) -> None:
        units = [
            row["id"] for row in self.rows["qualification_unit"] if row["qualification_id"] == aim["qualification_id"]
        ]
        keys = {"aim_id": aim["id"], **self.keys}
        made = self.row(
            "sample", unit_id=self.chance.choice(units), assessor_id=staff, iqa_id=staff, planned_at=self.now,
            planned_for=self.today + self.chance.choice((0, 60)) * dt.timedelta(days=1),
            status=self.chance.choice(list(SampleStatus)), concluded_at=self.chance.choice((None, None, self.now)),
            **keys,
        )  # fmt: skip
        answered = self.chance.choice((None, None, self.now))
        self.row("sample_action", sample_id=made["id"], description="Add one", answered_at=answered, **keys)

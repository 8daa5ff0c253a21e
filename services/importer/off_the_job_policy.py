"""Reads the policy for off-the-job hours from JSON and CSV files, and stores it.

A JSON file is a list of objects, a CSV file has a row for each rule; both with the names of `COLUMNS`. `reference` and
`floorHours` may be empty: the rule then applies to every standard, and prior learning may reduce the hours to 0.
"""

import csv
import datetime as dt
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models.aim import Aim
from db.models.off_the_job_policy import OffTheJobPolicy
from domain import clock
from services.importer.problems import ImportProblem, ImportRejected, ProblemCollector, json_type
from services.off_the_job import recount_hours

COLUMNS = ("reference", "startsFrom", "minimumHours", "floorHours", "source")
MAX_HOURS = 20_000
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class HoursRule:
    """One rule. None for `reference` means every standard."""

    reference: str | None
    starts_from: dt.date
    minimum_hours: int
    floor_hours: int
    source: str


def read_hours(path: Path) -> list[HoursRule]:
    """Returns the rules of a .json or .csv file. Raises ImportRejected with every problem."""
    problems = ProblemCollector(str(path))
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8-sig")
        rows = _json_rows(problems, text) if path.suffix.lower() == ".json" else _csv_rows(problems, text)
    except OSError as error:
        raise ImportRejected([ImportProblem(str(path), "", f"cannot be read: {error.strerror}")]) from error
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
        raise ImportRejected([ImportProblem(str(path), "", "is not valid UTF-8, JSON or CSV")]) from error
    rules = [_rule(problems, position, row) for position, row in rows]
    found: dict[tuple[str | None, dt.date], str] = {}
    for (position, _), rule in zip(rows, rules, strict=True):
        if rule is not None:
            first = found.setdefault((rule.reference, rule.starts_from), position)
            if first != position:
                problems.add(position, f"has the same reference and startsFrom as {first}")
    if not rows and not problems.problems:
        problems.add("", "there is no rule")
    problems.raise_problems()
    return [rule for rule in rules if rule is not None]


def _json_rows(problems: ProblemCollector, text: str) -> list[tuple[str, dict[str, Any]]]:
    document = json.loads(text)
    if not isinstance(document, list):
        problems.add("$", f"must be a list of rules, not {json_type(document)}")
        return []
    rows = []
    for index, entry in enumerate(document):
        if isinstance(entry, dict):
            rows.append((f"$[{index}]", entry))
        else:
            problems.add(f"$[{index}]", f"must be an object, not {json_type(entry)}")
    return rows


def _csv_rows(problems: ProblemCollector, text: str) -> list[tuple[str, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    if tuple(name.strip() for name in reader.fieldnames or ()) != COLUMNS:
        problems.add("line 1", f"the columns must be exactly {', '.join(COLUMNS)}")
        return []
    rows = []
    for row in reader:
        values: dict[str, Any] = {name: value or None for name, value in row.items() if isinstance(name, str)}
        for name in ("minimumHours", "floorHours"):
            number = values[name]
            values[name] = int(number) if isinstance(number, str) and number.strip().isdecimal() else number
        rows.append((f"line {reader.line_num}", values))
    return rows


def _rule(problems: ProblemCollector, position: str, row: dict[str, Any]) -> HoursRule | None:
    known = len(problems.problems)
    reference = problems.text(row.get("reference"), f"{position}.reference", "reference")
    source = problems.text(row.get("source"), f"{position}.source", "description")
    minimum = problems.whole_number(row.get("minimumHours"), f"{position}.minimumHours", 0, MAX_HOURS)
    floor = problems.whole_number(row.get("floorHours"), f"{position}.floorHours", 0, MAX_HOURS)
    if row.get("minimumHours") is None:
        problems.add(f"{position}.minimumHours", "is required")
    starts_from = None
    try:
        starts_from = dt.date.fromisoformat(str(row.get("startsFrom")).strip())
    except ValueError:
        problems.add(f"{position}.startsFrom", "must be a date such as 2025-08-01")
    if len(problems.problems) > known or starts_from is None or source is None or minimum is None:
        return None
    return HoursRule(reference, starts_from, minimum, floor or 0, source)


async def store_hours(session: AsyncSession, provider_id: int, rules: list[HoursRule]) -> int:
    """Stores rules, in place of those with the same reference and day, in the caller's transaction.

    The hours of all aims of the provider follow. Returns how many rules were added or changed.
    """
    stored = {
        (policy.reference, policy.starts_from): policy
        for policy in await session.scalars(select(OffTheJobPolicy).where(OffTheJobPolicy.provider_id == provider_id))
    }
    changed = 0
    for rule in rules:
        policy = stored.get((rule.reference, rule.starts_from))
        if policy is None:
            policy = OffTheJobPolicy(
                provider_id=provider_id, reference=rule.reference, starts_from=rule.starts_from,
                minimum_hours=rule.minimum_hours, floor_hours=rule.floor_hours, source=rule.source,
                imported_at=clock.now(),
            )  # fmt: skip
            session.add(policy)
        elif (policy.minimum_hours, policy.floor_hours, policy.source) == (
            rule.minimum_hours, rule.floor_hours, rule.source,
        ):  # fmt: skip
            continue
        else:
            policy.minimum_hours, policy.floor_hours = rule.minimum_hours, rule.floor_hours
            policy.source, policy.imported_at = rule.source, clock.now()
        changed += 1
    await session.flush()
    # unscoped: an import of the provider's operator
    for aim in (await session.scalars(select(Aim).where(Aim.provider_id == provider_id).order_by(Aim.id))).all():
        await recount_hours(session, aim)
    return changed

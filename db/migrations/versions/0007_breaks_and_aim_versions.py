"""Adds breaks in learning, the history of the status of aims, chosen units and earlier versions of aims."""

import datetime as dt
import json
from collections import defaultdict
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

import db.models.base
from db.migration_batches import Fill, write_texts
from domain.breaks import BreakPeriod, break_sums, format_periods

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_STATUSES = ("AWAITING_INDUCTION", "IN_TRAINING", "SUSPENDED", "COMPLETED", "WITHDRAWN")


def _enum(*values: str) -> sa.Enum:
    return sa.Enum(*values, native_enum=False, length=40)


def upgrade() -> None:
    _add_breaks()
    _add_chosen_units()
    _add_versions()
    _add_hours()


def _add_breaks() -> None:
    timestamp = db.models.base.UtcDateTime(timezone=True)
    op.create_table(
        "aim_break",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("aim_id", _KEY, nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("expected_return_date", sa.Date(), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("reason", _enum("ILLNESS", "PARENTAL_LEAVE", "CARING", "EMPLOYER", "OTHER"), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_by_id", _KEY, nullable=False),
        sa.Column("created_at", timestamp, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["aim_id"], ["aim.id"], name=op.f("fk_aim_break_aim_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["user_account.id"], name=op.f("fk_aim_break_created_by_id")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_aim_break_learner_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_aim_break_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aim_break")),
    )
    op.create_index("ix_aim_break_aim_start", "aim_break", ["aim_id", "start_date"])
    op.create_index(op.f("ix_aim_break_learner_id"), "aim_break", ["learner_id"])
    op.create_index(op.f("ix_aim_break_provider_id"), "aim_break", ["provider_id"])
    op.create_table(
        "aim_status_change",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("aim_id", _KEY, nullable=False),
        sa.Column("status", _enum(*_STATUSES), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("changed_by_id", _KEY, nullable=True),
        sa.Column("changed_at", timestamp, nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["aim_id"], ["aim.id"], name=op.f("fk_aim_status_change_aim_id")),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["user_account.id"], name=op.f("fk_aim_status_change_changed_by_id")
        ),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_aim_status_change_learner_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_aim_status_change_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aim_status_change")),
    )
    op.create_index("ix_aim_status_change_aim", "aim_status_change", ["aim_id", "id"])
    op.create_index(op.f("ix_aim_status_change_learner_id"), "aim_status_change", ["learner_id"])
    op.create_index(op.f("ix_aim_status_change_provider_id"), "aim_status_change", ["provider_id"])
    with op.batch_alter_table("aim_progress") as batch_op:
        batch_op.add_column(sa.Column("days_on_break", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("break_since", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("breaks", sa.Text(), nullable=True))


def _add_chosen_units() -> None:
    op.create_table(
        "aim_unit",
        sa.Column("aim_id", _KEY, nullable=False),
        sa.Column("unit_id", _KEY, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("chosen_by_id", _KEY, nullable=True),
        sa.Column("chosen_at", db.models.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["aim_id"], ["aim.id"], name=op.f("fk_aim_unit_aim_id")),
        sa.ForeignKeyConstraint(["chosen_by_id"], ["user_account.id"], name=op.f("fk_aim_unit_chosen_by_id")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_aim_unit_learner_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_aim_unit_provider_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["qualification_unit.id"], name=op.f("fk_aim_unit_unit_id")),
        sa.PrimaryKeyConstraint("aim_id", "unit_id", name=op.f("pk_aim_unit")),
    )
    for column in ("learner_id", "provider_id", "unit_id"):
        op.create_index(op.f(f"ix_aim_unit_{column}"), "aim_unit", [column])
    with op.batch_alter_table("aim_progress") as batch_op:
        batch_op.add_column(sa.Column("chosen_units", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("units_to_choose", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("qualification") as batch_op:
        batch_op.add_column(sa.Column("optional_units_minimum", sa.Integer(), nullable=False, server_default="0"))


def _add_versions() -> None:
    op.create_table(
        "aim_version",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("aim_id", _KEY, nullable=False),
        sa.Column("qualification_id", _KEY, nullable=False),
        sa.Column("changed_by_id", _KEY, nullable=False),
        sa.Column("changed_at", db.models.base.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["aim_id"], ["aim.id"], name=op.f("fk_aim_version_aim_id")),
        sa.ForeignKeyConstraint(["changed_by_id"], ["user_account.id"], name=op.f("fk_aim_version_changed_by_id")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_aim_version_learner_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_aim_version_provider_id")),
        sa.ForeignKeyConstraint(
            ["qualification_id"], ["qualification.id"], name=op.f("fk_aim_version_qualification_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aim_version")),
    )
    op.create_index("ix_aim_version_aim", "aim_version", ["aim_id", "id"])
    for column in ("learner_id", "provider_id"):
        op.create_index(op.f(f"ix_aim_version_{column}"), "aim_version", [column])
    with op.batch_alter_table("aim") as batch_op:
        batch_op.add_column(sa.Column("original_start_date", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("start_date_reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("outcome", _enum("ACHIEVED", "PARTLY_ACHIEVED", "NOT_ACHIEVED"), nullable=True))


_REASONS = (
    "ENGLISH_OR_MATHS", "PROGRESS_REVIEW", "INDUCTION", "EXAMINATION", "BEFORE_START", "AFTER_END", "ON_BREAK",
    "WITHDRAWN_AIM", "GATEWAY", "EXIT",
)  # fmt: skip
_ACTIVITIES = (
    "FACE_TO_FACE_SESSION", "TRAINER_LED_TRAINING", "DISTANCE_LEARNING_OR_SELF_STUDY", "COACHING_OR_MENTORING",
    "TECHNICAL_EXPERIENCE_BY_DOING_MY_JOB", "REVIEW_FEEDBACK_OR_SUPPORT", "ASSESSMENT_OR_EXAMINATION",
)  # fmt: skip


def _add_hours() -> None:
    timestamp = db.models.base.UtcDateTime(timezone=True)
    op.create_table(
        "off_the_job_policy",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=True),
        sa.Column("starts_from", sa.Date(), nullable=False),
        sa.Column("minimum_hours", sa.Integer(), nullable=False),
        sa.Column("floor_hours", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("imported_at", timestamp, nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_off_the_job_policy_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_off_the_job_policy")),
        sa.UniqueConstraint(
            "provider_id",
            "reference",
            "starts_from",
            name=op.f("uq_off_the_job_policy_provider_id_reference_starts_from"),
        ),
    )
    op.create_table(
        "time_log_revision",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("entry_id", _KEY, nullable=False),
        sa.Column("changed_by_id", _KEY, nullable=False),
        sa.Column("changed_at", timestamp, nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("job_setting", _enum("ON_THE_JOB", "OFF_THE_JOB"), nullable=False),
        sa.Column("activity_type", _enum(*_ACTIVITIES), nullable=False),
        sa.Column("comments", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["user_account.id"], name=op.f("fk_time_log_revision_changed_by_id")
        ),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_time_log_revision_learner_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_time_log_revision_provider_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_log_revision")),
    )
    op.create_index("ix_time_log_revision_entry", "time_log_revision", ["entry_id", "id"])
    for column in ("learner_id", "provider_id"):
        op.create_index(op.f(f"ix_time_log_revision_{column}"), "time_log_revision", [column])
    with op.batch_alter_table("aim") as batch_op:
        batch_op.add_column(sa.Column("planned_minutes", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("prior_learning_minutes", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("provider") as batch_op:
        batch_op.add_column(sa.Column("review_rule_months", sa.Integer(), nullable=True))
    with op.batch_alter_table("session") as batch_op:
        batch_op.add_column(sa.Column("group_id", _KEY, nullable=True))
    with op.batch_alter_table("aim_progress") as batch_op:
        batch_op.add_column(sa.Column("required_minutes", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("planned_minutes", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("policy_id", _KEY, nullable=True))
    with op.batch_alter_table("time_log_entry") as batch_op:
        batch_op.add_column(sa.Column("exclusion", _enum(*_REASONS), nullable=True))
        batch_op.add_column(sa.Column("employer_confirmed_by_id", _KEY, nullable=True))
        batch_op.add_column(sa.Column("employer_confirmed_at", timestamp, nullable=True))


# ---------------------------------------------------------------------- what 0.1.0 did not date


def _table(name: str, **columns: Any) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, type_) for column, type_ in columns.items()))


_MOMENT = db.models.base.UtcDateTime(timezone=True)
_AIM = _table(
    "aim", id=_KEY, provider_id=_KEY, learner_id=_KEY, status=sa.String, start_date=sa.Date, planned_end_date=sa.Date,
    actual_end_date=sa.Date, created_at=_MOMENT,
)  # fmt: skip
_EVENT = _table(
    "audit_event", id=_KEY, at=_MOMENT, actor_id=_KEY, action=sa.String, subject_type=sa.String, subject_key=_KEY,
    learner_id=_KEY, detail=sa.JSON,
)  # fmt: skip
_CHANGE = _table(
    "aim_status_change", id=_KEY, provider_id=_KEY, learner_id=_KEY, aim_id=_KEY, status=sa.String, from_date=sa.Date,
    changed_by_id=_KEY, changed_at=_MOMENT,
)  # fmt: skip
_BREAK = _table(
    "aim_break", id=_KEY, provider_id=_KEY, learner_id=_KEY, aim_id=_KEY, start_date=sa.Date, returned_on=sa.Date,
    reason=sa.String, created_by_id=_KEY, created_at=_MOMENT, version=sa.Integer,
)  # fmt: skip
_SUMS = _table(
    "aim_progress", aim_id=_KEY, days_on_break=sa.Integer, break_since=sa.Date, breaks=sa.Text, chosen_units=sa.Text,
    units_to_choose=sa.Integer, criteria_total=sa.Integer, criteria_mapped=sa.Integer, criteria_signed_off=sa.Integer,
    required_minutes=sa.Integer,
)  # fmt: skip
_USER = _table("user_account", id=_KEY, provider_id=_KEY)

# (status, when, actor) of a change of an aim.
_Changed = tuple[str, dt.datetime, int | None]


def _london(moment: dt.datetime) -> dt.date:
    return moment.astimezone(ZoneInfo("Europe/London")).date()


def _fill_history(connection: sa.Connection, first: int, last: int) -> None:
    """Rebuilds status changes from the audit trail; what that lacks counts as it is now.

    A suspended aim gets a break from the day on which it was suspended. Processes of this version record the changes
    themselves, so only an aim whose last change is not its status is concerned.
    """
    recorded: dict[int, Any] = {}
    of_batch = sa.select(_CHANGE).where(_CHANGE.c.aim_id.between(first, last)).order_by(_CHANGE.c.id)
    for change in connection.execute(of_batch):
        recorded[change.aim_id] = change
    aims = [
        aim
        for aim in connection.execute(sa.select(_AIM).where(_AIM.c.id.between(first, last)).order_by(_AIM.c.id))
        if aim.id not in recorded or recorded[aim.id].status != aim.status
    ]
    if not aims:
        return
    changes = _changes_by_aim(connection, {aim.learner_id for aim in aims})
    actors = {actor for found in changes.values() for _, _, actor in found if actor is not None}
    users = sa.select(_USER.c.id).where(_USER.c.id.in_(actors))
    known = set(connection.scalars(users)) if actors else set()
    returns = sa.select(_BREAK.c.aim_id).where(_BREAK.c.aim_id.between(first, last), _BREAK.c.returned_on.is_(None))
    on_break = set(connection.scalars(returns))
    now = dt.datetime.now(dt.UTC)
    history: list[dict[str, Any]] = []
    for aim in aims:
        keys = {"provider_id": aim.provider_id, "learner_id": aim.learner_id, "aim_id": aim.id}
        missing = _missing_changes(aim, changes.get(aim.id, []), recorded.get(aim.id), now)
        of_aim = [
            {
                **keys, "status": status, "from_date": _london(at), "changed_at": at,
                "changed_by_id": actor if actor in known else None,
            }
            for status, at, actor in missing
        ]  # fmt: skip
        if aim.status in ("COMPLETED", "WITHDRAWN") and aim.actual_end_date:
            of_aim[-1]["from_date"] = aim.actual_end_date
        history += of_aim
        if (aim.id in on_break) is not (aim.status == "SUSPENDED"):
            _change_breaks(connection, aim, of_aim[-1], now)
    connection.execute(sa.insert(_CHANGE), history)


def _missing_changes(aim: Any, found: list[_Changed], recorded: Any, now: dt.datetime) -> list[_Changed]:
    """Returns the changes that `aim_status_change` lacks; `recorded` is the last one that it has."""
    if recorded is not None:
        found = [each for each in found if each[1] > recorded.changed_at]
    elif not found or found[0][0] != "AWAITING_INDUCTION":
        found = [("AWAITING_INDUCTION", aim.created_at, None), *found]
    if not found or found[-1][0] != aim.status:
        # Not in the audit trail, as in a demo or an import: from the day on which it must have been so.
        found = [*found, (aim.status, now, None)]
    return found


def _change_breaks(connection: sa.Connection, aim: Any, changed: dict[str, Any], now: dt.datetime) -> None:
    """Begins a break with an aim's last change if that suspends it, and ends an open one if it does not."""
    start = max(changed["from_date"], aim.start_date)
    if aim.status != "SUSPENDED":
        returned_on = sa.case((_BREAK.c.start_date > start, _BREAK.c.start_date), else_=sa.literal(start, sa.Date))
        opened = sa.update(_BREAK).where(_BREAK.c.aim_id == aim.id, _BREAK.c.returned_on.is_(None))
        connection.execute(opened.values(returned_on=returned_on, version=_BREAK.c.version + 1))
    else:
        first_user = sa.select(sa.func.min(_USER.c.id)).where(_USER.c.provider_id == aim.provider_id)
        keys = {name: changed[name] for name in ("provider_id", "learner_id", "aim_id")}
        by = changed["changed_by_id"] or connection.scalar(first_user)
        added = {"start_date": start, "reason": "OTHER", "created_by_id": by, "created_at": now, "version": 1}
        connection.execute(sa.insert(_BREAK), {**keys, **added})
    breaks = sa.select(_BREAK).where(_BREAK.c.aim_id == aim.id)
    periods = [BreakPeriod(each.start_date, each.returned_on) for each in connection.execute(breaks)]
    days, since = break_sums(periods, aim.start_date, aim.planned_end_date)
    sums = sa.update(_SUMS).where(_SUMS.c.aim_id == aim.id)
    connection.execute(sums.values(days_on_break=days, break_since=since, breaks=format_periods(periods)))


def _changes_by_aim(connection: sa.Connection, learners: set[int]) -> dict[int, list[_Changed]]:
    """Returns each recorded change of each aim of some learners, in order."""
    found: dict[int, list[_Changed]] = defaultdict(list)
    actions = ("aimAdd", "aimUpdate", "sessionComplete", "learnerErase")
    events = sa.select(_EVENT).where(_EVENT.c.learner_id.in_(learners), _EVENT.c.action.in_(actions))
    for event in connection.execute(events.order_by(_EVENT.c.id)):
        detail = json.loads(event.detail) if isinstance(event.detail, str) else event.detail or {}
        if event.action == "aimAdd" and event.subject_key is not None:
            found[event.subject_key].append(("AWAITING_INDUCTION", event.at, event.actor_id))
        elif event.action == "aimUpdate" and "status" in detail.get("fields", ()) and detail.get("status"):
            found[event.subject_key].append((detail["status"], event.at, event.actor_id))
        elif event.action == "sessionComplete":
            for aim_key in detail.get("begun", ()):
                found[aim_key].append(("IN_TRAINING", event.at, event.actor_id))
    return found


# ---------------------------------------------------------------------- optional units


def _choose_units(connection: sa.Connection, first: int, last: int) -> None:
    """Takes optional units with evidence or a signature for chosen, and counts the criteria of the units that count.

    Not of an aim whose units or version were chosen by a process of this version.
    """
    batch = {"first": first, "last": last}
    connection.execute(
        sa.text(
            "insert into aim_unit (aim_id, unit_id, provider_id, learner_id, chosen_at) "
            "select a.id, u.id, a.provider_id, a.learner_id, a.created_at from aim a "
            "join qualification_unit u on u.qualification_id = a.qualification_id "
            "where a.id between :first and :last and u.mandatory = false "
            "and (exists (select 1 from criterion_progress p where p.aim_id = a.id "
            "and p.unit_id = u.id and (p.evidence_count > 0 or p.signed_off)) or exists (select 1 from unit_signature s "
            "where s.aim_id = a.id and s.unit_id = u.id and s.withdrawn_at is null)) "
            "and not exists (select 1 from aim_unit c where c.aim_id = a.id and c.unit_id = u.id) "
            "and not exists (select 1 from audit_event e where e.aim_id = a.id and e.subject_type = 'Aim' "
            "and (cast(e.detail as text) like '%\"units\"%' or cast(e.detail as text) like '%\"qualification\"%'))"
        ),
        batch,
    )
    chosen: dict[int, list[int]] = defaultdict(list)
    of_version = (
        "select c.aim_id, c.unit_id from aim_unit c join aim a on a.id = c.aim_id "
        "join qualification_unit u on u.id = c.unit_id and u.qualification_id = a.qualification_id "
        "where c.aim_id between :first and :last order by c.aim_id, c.unit_id"
    )
    for row in connection.execute(sa.text(of_version), batch):
        chosen[row.aim_id].append(row.unit_id)
    counted = (
        "from qualification_unit u left join aim_unit c on c.aim_id = a.id and c.unit_id = u.id {} "
        "where u.qualification_id = a.qualification_id and (u.mandatory or c.unit_id is not null)"
    )
    reached = counted.format("join criterion_progress p on p.aim_id = a.id and p.unit_id = u.id")
    sums = (
        "select a.id, s.chosen_units, s.units_to_choose, s.criteria_total, s.criteria_mapped, s.criteria_signed_off, "
        "q.optional_units_minimum, "
        f"(select coalesce(sum(u.criterion_count), 0) {counted.format('')}) as total, "
        f"(select count(*) {reached} and (p.evidence_count > 0 or p.signed_off)) as mapped, "
        f"(select count(*) {reached} and p.signed_off) as signed_off "
        "from aim a join aim_progress s on s.aim_id = a.id join qualification q on q.id = a.qualification_id "
        "where a.id between :first and :last and exists "
        "(select 1 from qualification_unit o where o.qualification_id = q.id and o.mandatory = false)"
    )
    changed = []
    for row in connection.execute(sa.text(sums), batch).all():
        of_aim = chosen[row.id]
        now = (
            " ".join(map(str, of_aim)) or None, max(row.optional_units_minimum - len(of_aim), 0),
            row.total, row.mapped, row.signed_off,
        )  # fmt: skip
        if now != tuple(row[1:6]):
            changed.append({"aim": row.id, **dict(zip(_CHOICE, now, strict=True))})
    if changed:
        values: dict[str, Any] = {name: sa.bindparam(name) for name in _CHOICE}
        connection.execute(sa.update(_SUMS).where(_SUMS.c.aim_id == sa.bindparam("aim")).values(**values), changed)


_CHOICE = ("chosen_units", "units_to_choose", "criteria_total", "criteria_mapped", "criteria_signed_off")


# ---------------------------------------------------------------------- off the job

_FUNCTIONAL = "(lower(q.kind) like '%functional%' or lower(q.kind) like '%english%' or lower(q.kind) like '%math%')"


def _require_minutes(connection: sa.Connection, first: int, last: int) -> None:
    """Stores the minutes that aims require, where neither a policy nor prior learning says otherwise."""
    connection.execute(
        sa.text(
            "update aim_progress set required_minutes = (select 60 * q.off_the_job_hours_minimum "
            "from aim a join qualification q on q.id = a.qualification_id where a.id = aim_progress.aim_id) "
            "where aim_id between :first and :last and required_minutes = 0 and policy_id is null "
            "and planned_minutes is null and exists (select 1 from aim a join qualification q "
            "on q.id = a.qualification_id where a.id = aim_progress.aim_id and a.prior_learning_minutes = 0 "
            f"and q.off_the_job_hours_minimum > 0 and not coalesce({_FUNCTIONAL}, false))"
        ),
        {"first": first, "last": last},
    )


def _exclude_time(connection: sa.Connection, first: int, last: int) -> None:
    """Stores why minutes of the time log do not count."""
    entry = "time_log_entry"
    concerned = f"(a.id = {entry}.aim_id or ({entry}.aim_id is null and a.learner_id = {entry}.learner_id))"
    counted = f"select 1 from aim a where {concerned} and a.status <> 'WITHDRAWN'"
    away = (
        f"exists (select 1 from aim_break b where b.aim_id = a.id and b.start_date <= {entry}.date "
        f"and (b.returned_on is null or b.returned_on > {entry}.date))"
    )
    runs = f"{counted} and a.start_date <= {entry}.date and (a.actual_end_date is null or a.actual_end_date >= {entry}.date)"
    ended = f"(a.actual_end_date is null or a.actual_end_date >= {entry}.date)"
    kinds = {
        "FORMAL_REVIEW": "PROGRESS_REVIEW", "INDUCTION": "INDUCTION", "EXAM": "EXAMINATION", "GATEWAY": "GATEWAY",
        "EXIT": "EXIT",
    }  # fmt: skip
    of_kind = " ".join(
        f"when exists (select 1 from session s where s.id = {entry}.session_id and s.type = '{kind}') then '{reason}'"
        for kind, reason in kinds.items()
    )
    reasons = (
        f"select id, exclusion, case when job_setting <> 'OFF_THE_JOB' then null "
        f"when exists (select 1 from aim a where {concerned}) and not exists ({counted}) then 'WITHDRAWN_AIM' "
        f"when exists (select 1 from aim a join qualification q on q.id = a.qualification_id "
        f"where a.id = {entry}.aim_id and {_FUNCTIONAL}) then 'ENGLISH_OR_MATHS' "
        f"when exists ({counted}) and not exists ({counted} and a.start_date <= {entry}.date) then 'BEFORE_START' "
        f"when exists ({counted}) and not exists ({counted} and {ended}) then 'AFTER_END' "
        f"when exists ({runs} and {away}) and not exists ({runs} and not {away}) then 'ON_BREAK' "
        f"{of_kind} end as reason from {entry} where id between :first and :last"
    )
    rows = connection.execute(sa.text(reasons), {"first": first, "last": last}).all()
    changed = {row.id: row.reason for row in rows if row.exclusion != row.reason}
    write_texts(connection, entry, "exclusion", changed)


# In this order: an exclusion depends on the breaks.
fills = (
    Fill("aim.status_changes", "aim", _fill_history),
    Fill("aim.units", "aim", _choose_units),
    Fill("aim_progress.required_minutes", "aim_progress", _require_minutes, key="aim_id"),
    Fill("time_log_entry.exclusion", "time_log_entry", _exclude_time),
)


def downgrade() -> None:
    with op.batch_alter_table("time_log_entry") as batch_op:
        for name in ("employer_confirmed_at", "employer_confirmed_by_id", "exclusion"):
            batch_op.drop_column(name)
    with op.batch_alter_table("aim_progress") as batch_op:
        for name in ("policy_id", "planned_minutes", "required_minutes"):
            batch_op.drop_column(name)
    with op.batch_alter_table("aim") as batch_op:
        for name in ("prior_learning_minutes", "planned_minutes"):
            batch_op.drop_column(name)
    with op.batch_alter_table("session") as batch_op:
        batch_op.drop_column("group_id")
    with op.batch_alter_table("provider") as batch_op:
        batch_op.drop_column("review_rule_months")
    op.drop_table("time_log_revision")
    op.drop_table("off_the_job_policy")
    with op.batch_alter_table("aim") as batch_op:
        for name in ("outcome", "start_date_reason", "original_start_date"):
            batch_op.drop_column(name)
    op.drop_table("aim_version")
    with op.batch_alter_table("qualification") as batch_op:
        batch_op.drop_column("optional_units_minimum")
    with op.batch_alter_table("aim_progress") as batch_op:
        for name in ("units_to_choose", "chosen_units"):
            batch_op.drop_column(name)
    op.drop_table("aim_unit")
    with op.batch_alter_table("aim_progress") as batch_op:
        for name in ("breaks", "break_since", "days_on_break"):
            batch_op.drop_column(name)
    op.drop_table("aim_status_change")
    op.drop_table("aim_break")

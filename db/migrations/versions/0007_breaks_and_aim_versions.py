"""Adds breaks in learning, the history of the status of aims, chosen units and earlier versions of aims."""

import datetime as dt
import json
from collections import defaultdict
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

import db.models.base

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
    _fill_history()
    _choose_units()
    _count_time()


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
    "aim", id=_KEY, provider_id=_KEY, learner_id=_KEY, status=sa.String, start_date=sa.Date, actual_end_date=sa.Date,
    created_at=_MOMENT,
)  # fmt: skip
_EVENT = _table(
    "audit_event", id=_KEY, at=_MOMENT, actor_id=_KEY, action=sa.String, subject_type=sa.String, subject_key=_KEY,
    detail=sa.JSON,
)  # fmt: skip
_CHANGE = _table(
    "aim_status_change", provider_id=_KEY, learner_id=_KEY, aim_id=_KEY, status=sa.String, from_date=sa.Date,
    changed_by_id=_KEY, changed_at=_MOMENT,
)  # fmt: skip
_BREAK = _table(
    "aim_break", provider_id=_KEY, learner_id=_KEY, aim_id=_KEY, start_date=sa.Date, reason=sa.String,
    created_by_id=_KEY, created_at=_MOMENT, version=sa.Integer,
)  # fmt: skip
_SUMS = _table("aim_progress", aim_id=_KEY, break_since=sa.Date, breaks=sa.Text, chosen_units=sa.Text)
_USER = _table("user_account", id=_KEY, provider_id=_KEY)


def _london(moment: dt.datetime) -> dt.date:
    return moment.astimezone(ZoneInfo("Europe/London")).date()


def _fill_history() -> None:
    """Rebuilds status changes from the audit trail; what that lacks counts as it is now.

    A suspended aim gets a break from the day on which it was suspended.
    """
    connection = op.get_bind()
    known = {row.id for row in connection.execute(sa.select(_USER.c.id))}
    first_user = {
        row.provider_id: row.id
        for row in connection.execute(
            sa.select(_USER.c.provider_id, sa.func.min(_USER.c.id).label("id")).group_by(_USER.c.provider_id)
        )
    }
    changes = _changes_by_aim(connection)
    now = dt.datetime.now(dt.UTC)
    history: list[dict[str, Any]] = []
    breaks: list[dict[str, Any]] = []
    for aim in connection.execute(sa.select(_AIM).order_by(_AIM.c.id)).all():
        keys = {"provider_id": aim.provider_id, "learner_id": aim.learner_id, "aim_id": aim.id}
        found = changes.get(aim.id, [])
        if not found or found[0][0] != "AWAITING_INDUCTION":
            found = [("AWAITING_INDUCTION", aim.created_at, None), *found]
        if found[-1][0] != aim.status:
            # Not in the audit trail, as in a demo or an import: from the day on which it must have been so.
            found.append((aim.status, now, None))
        for status, at, actor in found:
            history.append(
                {
                    **keys, "status": status, "from_date": _london(at), "changed_at": at,
                    "changed_by_id": actor if actor in known else None,
                }
            )  # fmt: skip
        last = history[-1]
        if aim.status in ("COMPLETED", "WITHDRAWN") and aim.actual_end_date:
            last["from_date"] = aim.actual_end_date
        if aim.status == "SUSPENDED":
            start = max(last["from_date"], aim.start_date)
            by = last["changed_by_id"] or first_user[aim.provider_id]
            breaks.append(
                {**keys, "start_date": start, "reason": "OTHER", "created_by_id": by, "created_at": now, "version": 1}
            )
    if history:
        connection.execute(sa.insert(_CHANGE), history)
    if breaks:
        connection.execute(sa.insert(_BREAK), breaks)
    for each in breaks:
        connection.execute(
            sa.update(_SUMS)
            .where(_SUMS.c.aim_id == each["aim_id"])
            .values(break_since=each["start_date"], breaks=f"{each['start_date']}/")
        )


def _changes_by_aim(connection: sa.Connection) -> dict[int, list[tuple[str, dt.datetime, int | None]]]:
    """Returns (status, when, actor) of each recorded change of each aim, in order."""
    found: dict[int, list[tuple[str, dt.datetime, int | None]]] = defaultdict(list)
    actions = ("aimAdd", "aimUpdate", "sessionComplete", "learnerErase")
    events = sa.select(_EVENT).where(_EVENT.c.action.in_(actions)).order_by(_EVENT.c.id)
    for event in connection.execute(events):
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


def _choose_units() -> None:
    """Takes optional units with evidence or a signature for chosen, and counts the criteria of the units that count."""
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "insert into aim_unit (aim_id, unit_id, provider_id, learner_id, chosen_at) "
            "select a.id, u.id, a.provider_id, a.learner_id, a.created_at from aim a "
            "join qualification_unit u on u.qualification_id = a.qualification_id "
            "where u.mandatory = false and (exists (select 1 from criterion_progress p where p.aim_id = a.id "
            "and p.unit_id = u.id and (p.evidence_count > 0 or p.signed_off)) or exists (select 1 from unit_signature s "
            "where s.aim_id = a.id and s.unit_id = u.id and s.withdrawn_at is null))"
        )
    )
    chosen: dict[int, list[int]] = defaultdict(list)
    for row in connection.execute(sa.text("select aim_id, unit_id from aim_unit order by aim_id, unit_id")):
        chosen[row.aim_id].append(row.unit_id)
    for aim_key, units in chosen.items():
        text = " ".join(map(str, units))
        connection.execute(sa.update(_SUMS).where(_SUMS.c.aim_id == aim_key).values(chosen_units=text))
    counted = (
        "from aim a join qualification_unit u on u.qualification_id = a.qualification_id "
        "left join aim_unit c on c.aim_id = a.id and c.unit_id = u.id {} "
        "where a.id = aim_progress.aim_id and (u.mandatory or c.unit_id is not null)"
    )
    reached = counted.format("join criterion_progress p on p.aim_id = a.id and p.unit_id = u.id")
    optional = "select qualification_id from qualification_unit where mandatory = false"
    connection.execute(
        sa.text(
            f"update aim_progress set "
            f"criteria_total = (select coalesce(sum(u.criterion_count), 0) {counted.format('')}), "
            f"criteria_mapped = (select count(*) {reached} and (p.evidence_count > 0 or p.signed_off)), "
            f"criteria_signed_off = (select count(*) {reached} and p.signed_off) "
            f"where aim_id in (select id from aim where qualification_id in ({optional}))"
        )
    )


# ---------------------------------------------------------------------- off the job


def _count_time() -> None:
    """Stores the minutes that aims require, and why minutes of the time log do not count."""
    connection = op.get_bind()
    functional = "(lower(q.kind) like '%functional%' or lower(q.kind) like '%english%' or lower(q.kind) like '%math%')"
    connection.execute(
        sa.text(
            "update aim_progress set required_minutes = (select case when coalesce("
            f"{functional}, false) then 0 else 60 * coalesce(q.off_the_job_hours_minimum, 0) end "
            "from aim a join qualification q on q.id = a.qualification_id where a.id = aim_progress.aim_id)"
        )
    )
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
    connection.execute(
        sa.text(
            f"update {entry} set exclusion = case "
            f"when exists (select 1 from aim a where {concerned}) and not exists ({counted}) then 'WITHDRAWN_AIM' "
            f"when exists (select 1 from aim a join qualification q on q.id = a.qualification_id "
            f"where a.id = {entry}.aim_id and {functional}) then 'ENGLISH_OR_MATHS' "
            f"when exists ({counted}) and not exists ({counted} and a.start_date <= {entry}.date) then 'BEFORE_START' "
            f"when exists ({counted}) and not exists ({counted} and {ended}) then 'AFTER_END' "
            f"when exists ({runs} and {away}) and not exists ({runs} and not {away}) then 'ON_BREAK' "
            f"{of_kind} end where job_setting = 'OFF_THE_JOB'"
        )
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

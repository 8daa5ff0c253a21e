"""Adds progress reviews, and sampling by internal quality assurance."""

import sqlalchemy as sa
from alembic import op

import db.models.base

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = db.models.base.UtcDateTime(timezone=True)
# The name of a member.
_ENUM = sa.String(length=40)


def upgrade() -> None:
    # Only adds: processes of the last version run on these tables too. What only they need is removed by `contract()`.
    op.create_table(
        "sampling_policy",
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("aims_percent", sa.Integer(), nullable=False),
        sa.Column("units_percent", sa.Integer(), nullable=False),
        sa.Column("first_units_of_new_assessor", sa.Integer(), nullable=False),
        sa.Column("saved_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_sampling_policy_provider_id")),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_sampling_policy")),
    )
    op.create_table(
        "review",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("session_id", _KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("previous_session_id", _KEY, nullable=True),
        sa.Column("covers_from", sa.Date(), nullable=False),
        sa.Column("employer_attendance", _ENUM, nullable=True),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("issued_at", _TIME, nullable=True),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_review_learner_id")),
        sa.ForeignKeyConstraint(["previous_session_id"], ["session.id"], name=op.f("fk_review_previous_session_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_review_provider_id")),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name=op.f("fk_review_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("learner_id", "number", name=op.f("uq_review_learner_id_number")),
        sa.UniqueConstraint("session_id", name=op.f("uq_review_session_id")),
    )
    op.create_index("ix_review_previous_session_id", "review", ["previous_session_id"])
    op.create_index("ix_review_provider_id", "review", ["provider_id"])

    op.create_table(
        "sample",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("aim_id", _KEY, nullable=False),
        sa.Column("unit_id", _KEY, nullable=False),
        sa.Column("assessor_id", _KEY, nullable=False),
        sa.Column("iqa_id", _KEY, nullable=False),
        sa.Column("planned_for", sa.Date(), nullable=False),
        sa.Column("planned_at", _TIME, nullable=False),
        sa.Column("status", _ENUM, nullable=False),
        sa.Column("outcome", _ENUM, nullable=True),
        sa.Column("snapshot_sha256", sa.String(length=64), nullable=True),
        sa.Column("concluded_at", _TIME, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["aim_id"], ["aim.id"], name=op.f("fk_sample_aim_id")),
        sa.ForeignKeyConstraint(["assessor_id"], ["user_account.id"], name=op.f("fk_sample_assessor_id")),
        sa.ForeignKeyConstraint(["iqa_id"], ["user_account.id"], name=op.f("fk_sample_iqa_id")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_sample_learner_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_sample_provider_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["qualification_unit.id"], name=op.f("fk_sample_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample")),
    )
    op.create_index("ix_sample_assessor_id", "sample", ["assessor_id"])
    op.create_index("ix_sample_iqa_id", "sample", ["iqa_id"])
    op.create_index("ix_sample_learner_id", "sample", ["learner_id"])
    op.create_index("ix_sample_provider_id", "sample", ["provider_id"])
    op.create_index("ix_sample_unit", "sample", ["aim_id", "unit_id"])
    op.create_index("ix_sample_unit_id", "sample", ["unit_id"])
    op.create_index(
        "uq_sample_open",
        "sample",
        ["aim_id", "unit_id"],
        unique=True,
        sqlite_where=sa.text("status <> 'CONCLUDED'"),
        postgresql_where=sa.text("status <> 'CONCLUDED'"),
    )

    op.create_table(
        "review_answer",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("review_id", _KEY, nullable=False),
        sa.Column("role", _ENUM, nullable=False),
        sa.Column("answered_by_id", _KEY, nullable=False),
        sa.Column("answered_at", _TIME, nullable=False),
        sa.Column("progress_since_last", sa.Text(), nullable=True),
        sa.Column("concerns", sa.Text(), nullable=True),
        sa.Column("changes_to_plan", sa.Text(), nullable=True),
        sa.Column("next_steps", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["answered_by_id"], ["user_account.id"], name=op.f("fk_review_answer_answered_by_id")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_review_answer_learner_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_review_answer_provider_id")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_review_answer_review_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_answer")),
        sa.UniqueConstraint("review_id", "role", name=op.f("uq_review_answer_review_id_role")),
    )
    op.create_index("ix_review_answer_answered_by_id", "review_answer", ["answered_by_id"])
    op.create_index("ix_review_answer_learner_id", "review_answer", ["learner_id"])
    op.create_index("ix_review_answer_provider_id", "review_answer", ["provider_id"])

    op.create_table(
        "sample_action",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("aim_id", _KEY, nullable=False),
        sa.Column("sample_id", _KEY, nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by_id", _KEY, nullable=True),
        sa.Column("answered_at", _TIME, nullable=True),
        sa.Column("closed_by_id", _KEY, nullable=True),
        sa.Column("closed_at", _TIME, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["aim_id"], ["aim.id"], name=op.f("fk_sample_action_aim_id")),
        sa.ForeignKeyConstraint(["answered_by_id"], ["user_account.id"], name=op.f("fk_sample_action_answered_by_id")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["user_account.id"], name=op.f("fk_sample_action_closed_by_id")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_sample_action_learner_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_sample_action_provider_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name=op.f("fk_sample_action_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_action")),
    )
    op.create_index("ix_sample_action_aim_id", "sample_action", ["aim_id"])
    op.create_index("ix_sample_action_answered_by_id", "sample_action", ["answered_by_id"])
    op.create_index("ix_sample_action_closed_by_id", "sample_action", ["closed_by_id"])
    op.create_index("ix_sample_action_learner_id", "sample_action", ["learner_id"])
    op.create_index("ix_sample_action_provider_id", "sample_action", ["provider_id"])
    op.create_index("ix_sample_action_sample_id", "sample_action", ["sample_id"])

    op.create_table(
        "review_document",
        sa.Column("request_id", _KEY, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("review_id", _KEY, nullable=False),
        sa.Column("replaced_at", _TIME, nullable=True),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_review_document_learner_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_review_document_provider_id")),
        sa.ForeignKeyConstraint(["request_id"], ["signature_request.id"], name=op.f("fk_review_document_request_id")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_review_document_review_id")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_review_document")),
    )
    op.create_index("ix_review_document_learner_id", "review_document", ["learner_id"])
    op.create_index("ix_review_document_provider_id", "review_document", ["provider_id"])
    op.create_index("ix_review_document_review_id", "review_document", ["review_id"])
    op.create_index(
        "uq_review_document_current",
        "review_document",
        ["review_id"],
        unique=True,
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )

    op.create_table(
        "sample_finding",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("provider_id", _KEY, nullable=False),
        sa.Column("learner_id", _KEY, nullable=False),
        sa.Column("sample_id", _KEY, nullable=False),
        sa.Column("criterion_id", _KEY, nullable=True),
        sa.Column("evidence_id", _KEY, nullable=True),
        sa.Column("valid", sa.Boolean(), nullable=False),
        sa.Column("authentic", sa.Boolean(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("sufficient", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["criterion_id"], ["qualification_criterion.id"], name=op.f("fk_sample_finding_criterion_id")
        ),
        sa.ForeignKeyConstraint(["evidence_id"], ["evidence.id"], name=op.f("fk_sample_finding_evidence_id")),
        sa.ForeignKeyConstraint(["learner_id"], ["learner.id"], name=op.f("fk_sample_finding_learner_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_sample_finding_provider_id")),
        sa.ForeignKeyConstraint(["sample_id"], ["sample.id"], name=op.f("fk_sample_finding_sample_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_finding")),
    )
    op.create_index("ix_sample_finding_criterion_id", "sample_finding", ["criterion_id"])
    op.create_index("ix_sample_finding_evidence_id", "sample_finding", ["evidence_id"])
    op.create_index("ix_sample_finding_learner_id", "sample_finding", ["learner_id"])
    op.create_index("ix_sample_finding_provider_id", "sample_finding", ["provider_id"])
    op.create_index("ix_sample_finding_sample_id", "sample_finding", ["sample_id"])

    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "review_signatures",
                sa.JSON(),
                server_default='["LEARNER", "ASSESSOR", "EMPLOYER_MANAGER"]',
                nullable=False,
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("provider", schema=None) as batch_op:
        batch_op.drop_column("review_signatures")
    op.drop_table("sample_finding")
    op.drop_table("review_document")
    op.drop_table("sample_action")
    op.drop_table("review_answer")
    op.drop_table("sample")
    op.drop_table("review")
    op.drop_table("sampling_policy")

"""Users: their credentials, the roles they hold, and the learners and sites allocated to an employer role."""

from sqlalchemy import JSON, ColumnElement, Index, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column, validates

from db.models.base import (
    Base,
    Date,
    PrimaryKey,
    ShortText,
    Timestamp,
    enum_column,
    folded_name_column,
    reference,
    reference_without_constraint,
)
from db.models.entity import Entity, Visibility
from db.models.growth import Growth
from db.models.personal_data import (
    DataSubject,
    LearnerRows,
    Personal,
    Reason,
    erased_name,
    not_personal,
    personal,
)
from domain.enums import PortfolioPart, Role
from domain.text import fold_name


class User(Base):
    """One account. The username is unique within its provider: a person can have an account at each of several.

    A learner's name and last login are stored here only.
    """

    __tablename__ = "user_account"
    __part__ = PortfolioPart.LEARNER
    __entity__ = Entity("User", Visibility.USER_ITSELF)
    __label__ = ("name",)
    # Nothing of these is read of a learner.
    __unread__ = frozenset(
        {
            "sort_name", "password_hash", "must_change_password", "has_password", "disclaimer_accepted",
            "disclaimer_accepted_at", "created_at", "email_for", "notified_at", "digest_hour", "digest_on",
            "reminded_on", "calendar_nonce", "push_for",
        }
    )  # fmt: skip
    __table_args__ = (
        UniqueConstraint("provider_id", "username"),
        Index("ix_user_account_name", "provider_id", "sort_name", "id"),
    )

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    username: Mapped[str] = personal(String(254), index=True, erased="erased-learner-{}".format)
    name: Mapped[ShortText] = personal(erased=erased_name)
    sort_name: Mapped[str] = folded_name_column("name", Personal(lambda key: fold_name(erased_name(key))))
    email: Mapped[str] = personal(String(254), erased="")
    # "-" is not a valid hash, so no password matches it.
    password_hash: Mapped[str] = personal(String(300), erased="-", exported=False)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    # False until the owner has chosen one: a user who signs in in another way may never do so.
    has_password: Mapped[bool] = mapped_column(default=True, server_default=true())
    disclaimer_accepted: Mapped[int] = mapped_column(default=0)
    disclaimer_accepted_at: Mapped[Timestamp | None] = personal(erased=None)
    last_login_at: Mapped[Timestamp | None] = personal(erased=None)
    archived_at: Mapped[Timestamp | None]
    created_at: Mapped[Timestamp]
    # The kinds of task of which e-mails are sent as they arise; NULL until the owner has chosen.
    email_for: Mapped[list[str] | None] = not_personal(Reason.CODE, JSON(none_as_null=True))
    # Up to when the tasks that arose were mailed.
    notified_at: Mapped[Timestamp | None]
    # The hour in London of the daily e-mail, and the last days on which it and the reminders were due.
    digest_hour: Mapped[int | None]
    digest_on: Mapped[Date | None]
    reminded_on: Mapped[Date | None]
    # Part of the address of the calendar, which ends when it changes.
    calendar_nonce: Mapped[str | None] = personal(String(32), erased=None, exported=False, of_installation=True)

    # The kinds of task of which browsers are notified as they arise; NULL until the owner has chosen.
    push_for: Mapped[list[str] | None] = not_personal(Reason.CODE, JSON(none_as_null=True))

    @validates("name")
    def _fold(self, _: str, name: str) -> str:
        self.sort_name = fold_name(name)
        return name

    @classmethod
    def rows_about(cls, subject: DataSubject) -> ColumnElement[bool]:
        """The learner's own account."""
        return cls.id == subject.user_key


class RoleGrant(Base):
    """A role that a user holds, and who granted it."""

    __tablename__ = "role_grant"
    __learner_rows__ = LearnerRows(deleted=True)
    __growth__ = Growth.BOUNDED
    __table_args__ = (UniqueConstraint("user_id", "role"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    user_id: Mapped[int] = reference("user_account.id", index=False)
    role: Mapped[Role] = enum_column(Role)
    granted_by_id: Mapped[int | None] = reference("user_account.id", nullable=True)
    granted_at: Mapped[Timestamp]


class ManagerAllocation(Base):
    """A learner allocated to an Employer Manager."""

    __tablename__ = "manager_allocation"
    __part__ = PortfolioPart.LEARNER
    __seen_by__ = frozenset()
    __learner_rows__ = LearnerRows(deleted=True)
    __growth__ = Growth.BOUNDED

    user_id: Mapped[int] = reference("user_account.id", index=False, primary_key=True)
    learner_id: Mapped[int] = reference("learner.id", primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    allocated_by_id: Mapped[int | None] = reference_without_constraint("user_account")
    allocated_at: Mapped[Timestamp]


class OverviewAllocation(Base):
    """An employer site allocated to an Employer Overview."""

    __tablename__ = "overview_allocation"
    __seen_by__ = frozenset()
    __growth__ = Growth.BOUNDED

    user_id: Mapped[int] = reference("user_account.id", index=False, primary_key=True)
    employer_id: Mapped[int] = reference("employer.id", primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    allocated_by_id: Mapped[int | None] = reference_without_constraint("user_account")
    allocated_at: Mapped[Timestamp]

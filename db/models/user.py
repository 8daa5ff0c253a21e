"""People who sign in: their credentials, the roles they hold, and what an employer role reaches."""

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from db.models.base import (
    Base,
    Key,
    PrimaryKey,
    ShortText,
    Timestamp,
    enum_column,
    fold_name,
    folded_name_column,
    reference,
)
from db.models.entity import Entity, Visibility
from domain.enums import Role


class User(Base):
    """One login. The username is unique over all providers; a learner's name and last login stand here and nowhere else."""

    __tablename__ = "user_account"
    __entity__ = Entity("User", Visibility.USER_ITSELF)
    __table_args__ = (Index("ix_user_account_name", "provider_id", "sort_name", "id"),)

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id", index=False)
    username: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[ShortText]
    sort_name: Mapped[str] = folded_name_column("name")
    email: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str] = mapped_column(String(300))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    disclaimer_accepted: Mapped[int] = mapped_column(default=0)
    disclaimer_accepted_at: Mapped[Timestamp | None]
    last_login_at: Mapped[Timestamp | None]
    archived_at: Mapped[Timestamp | None]
    created_at: Mapped[Timestamp]

    @validates("name")
    def _fold(self, _: str, name: str) -> str:
        self.sort_name = fold_name(name)
        return name


class RoleGrant(Base):
    """A role that a user holds, and who gave it."""

    __tablename__ = "role_grant"
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

    user_id: Mapped[int] = reference("user_account.id", index=False, primary_key=True)
    learner_id: Mapped[int] = reference("learner.id", primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    allocated_by_id: Mapped[int | None] = mapped_column(Key)
    allocated_at: Mapped[Timestamp]


class OverviewAllocation(Base):
    """An employer site allocated to an Employer Overview."""

    __tablename__ = "overview_allocation"

    user_id: Mapped[int] = reference("user_account.id", index=False, primary_key=True)
    employer_id: Mapped[int] = reference("employer.id", primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    allocated_by_id: Mapped[int | None] = mapped_column(Key)
    allocated_at: Mapped[Timestamp]

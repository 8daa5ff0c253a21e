"""Adds the people of one provider: users with roles, employers with sites, learners, and allocations."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from db.models.employer import Employer
from db.models.learner import Learner
from db.models.user import ManagerAllocation, OverviewAllocation, RoleGrant, User
from domain.clock import london_time
from domain.enums import Role
from services.demo.accounts import PASSWORD
from services.demo.bulk_rows import Rows


@cache
def password_hash() -> str:
    """The argon2id hash of the demo's password, computed once for all users."""
    return PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),)).hash(PASSWORD)


def uln(number: int) -> str:
    """A made-up Unique Learner Number with a valid check digit, different for each number from 0."""
    for digits in map(str, range(910_000_000 + 2 * number, 910_000_000 + 2 * number + 2)):
        remainder = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
        # Nine digits with the remainder 0 have no check digit. Of two neighbours, at least one has one.
        if remainder:
            return digits + str(10 - remainder)
    raise ValueError(number)


@dataclass(slots=True)
class People:
    """Adds the people of one provider. `admin` is the user who grants their roles; None until there is one."""

    rows: Rows
    provider: int
    today: dt.date
    domain: str
    admin: int | None = None

    @property
    def long_ago(self) -> dt.datetime:
        """When the provider began."""
        return london_time(self.today - dt.timedelta(days=900))

    def user(
        self, username: str, name: str, roles: Sequence[Role], last_login: dt.datetime | None = None,
        first_time: bool = False, since: dt.datetime | None = None,
    ) -> int:  # fmt: skip
        """Adds a user and returns the key. `first_time`: has yet to change the password and accept the disclaimer."""
        since = since or self.long_ago
        user = self.rows.add(
            User, provider_id=self.provider, username=username, name=name, email=f"{username}@{self.domain}",
            password_hash=password_hash(), must_change_password=first_time, disclaimer_accepted=0 if first_time else 1,
            disclaimer_accepted_at=None if first_time else since, last_login_at=last_login, created_at=since,
        )  # fmt: skip
        for role in roles:
            self.rows.add(
                RoleGrant, provider_id=self.provider, user_id=user["id"], role=role, granted_by_id=self.admin,
                granted_at=since,
            )  # fmt: skip
        return user["id"]

    def employer(self, name: str, parent: int | None = None) -> int:
        """Adds an employer, or a site of `parent`, and returns the key."""
        row = self.rows.add(Employer, provider_id=self.provider, name=name, parent_id=parent, created_at=self.long_ago)
        return row["id"]

    def learner(self, user: int, employer: int, number: int, since: dt.datetime) -> dict[str, Any]:
        """Adds a learner and returns the row. `number` determines the ULN."""
        return self.rows.add(
            Learner,
            provider_id=self.provider,
            user_id=user,
            employer_id=employer,
            uln=uln(number),
            created_at=since,
        )

    def allocate(self, manager: int, learner: int, by: int) -> None:
        """Allocates a learner to a manager."""
        self.rows.add(
            ManagerAllocation, user_id=manager, learner_id=learner, provider_id=self.provider,
            allocated_by_id=by, allocated_at=london_time(self.today - dt.timedelta(days=30)),
        )  # fmt: skip

    def oversee(self, overview: int, employer: int) -> None:
        """Gives a user with the Employer Overview role an employer or site."""
        self.rows.add(
            OverviewAllocation, user_id=overview, employer_id=employer, provider_id=self.provider,
            allocated_by_id=self.admin, allocated_at=self.long_ago,
        )  # fmt: skip

"""Who there is in the demo: users with their roles, employers with their sites, learners, and allocations."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from db.models import registry as tables
from domain.enums import Role
from services.demo import texts as words
from services.demo.bulk_rows import Rows, at


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    """Somebody who can sign in: what to print beside the username. The password is `words.PASSWORD` for everybody."""

    username: str
    name: str
    roles: tuple[Role, ...]
    note: str = ""


@cache
def password_hash() -> str:
    """The argon2id hash of the demo's password, made once: everybody in the demo shares it."""
    return PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),)).hash(words.PASSWORD)


def uln(number: int) -> str:
    """A made-up Unique Learner Number with a true check digit; each number from 0 gives another."""
    for digits in map(str, range(910_000_000 + 2 * number, 910_000_000 + 2 * number + 2)):
        remainder = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
        # Nine digits with nothing left over have no check digit; of two neighbours one at least has.
        if remainder:
            return digits + str(10 - remainder)
    raise ValueError(number)


@dataclass(slots=True)
class People:
    """Adds the people of one provider. `admin` is who let them in; None until there is one."""

    rows: Rows
    provider: int
    today: dt.date
    domain: str
    admin: int | None = None

    @property
    def long_ago(self) -> dt.datetime:
        return at(self.today - dt.timedelta(days=900))

    def user(
        self, username: str, name: str, roles: Sequence[Role], last_login: dt.datetime | None = None,
        first_time: bool = False, since: dt.datetime | None = None,
    ) -> int:  # fmt: skip
        """A user with their roles; `first_time`: password and disclaimer are still to be dealt with."""
        since = since or self.long_ago
        user = self.rows.add(
            tables.User, provider_id=self.provider, username=username, name=name, email=f"{username}@{self.domain}",
            password_hash=password_hash(), must_change_password=first_time, disclaimer_accepted=0 if first_time else 1,
            disclaimer_accepted_at=None if first_time else since, last_login_at=last_login, created_at=since,
        )  # fmt: skip
        for role in roles:
            self.rows.add(
                tables.RoleGrant, provider_id=self.provider, user_id=user["id"], role=role, granted_by_id=self.admin,
                granted_at=since,
            )  # fmt: skip
        return user["id"]

    def employer(self, name: str, parent: int | None = None) -> int:
        row = self.rows.add(
            tables.Employer, provider_id=self.provider, name=name, parent_id=parent, created_at=self.long_ago
        )
        return row["id"]

    def learner(self, user: int, employer: int, number: int, since: dt.datetime) -> dict[str, Any]:
        """A learner's row; `number` gives the ULN."""
        return self.rows.add(
            tables.Learner,
            provider_id=self.provider,
            user_id=user,
            employer_id=employer,
            uln=uln(number),
            created_at=since,
        )

    def allocate(self, manager: int, learner: int, by: int) -> None:
        self.rows.add(
            tables.ManagerAllocation, user_id=manager, learner_id=learner, provider_id=self.provider,
            allocated_by_id=by, allocated_at=at(self.today - dt.timedelta(days=30)),
        )  # fmt: skip

    def oversee(self, overview: int, employer: int) -> None:
        self.rows.add(
            tables.OverviewAllocation, user_id=overview, employer_id=employer, provider_id=self.provider,
            allocated_by_id=self.admin, allocated_at=self.long_ago,
        )  # fmt: skip

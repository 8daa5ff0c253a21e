"""Every mutation sent twenty times at once, as a double click, a retrying client or an attacker would.

What the requests leave behind is what they leave when they come one after the other; with one Idempotency-Key, it is
what one request leaves.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select

from db.database import Database
from db.models.audit_event import AuditEvent
from db.models.auth_session import IdempotencyKey, LoginAttempt
from db.models.registry import metadata
from domain import clock
from domain.enums import Role
from resolvers.core.context import Client
from tests.authorization.mutation_caller import arguments, document, mutations
from tests.authorization.permission_setup import Setup, build_with_uploads, open_setup
from tests.authorization.permissions import AUTHENTICATION, COLUMNS, OWN_ORDERS, may
from tests.authorization.rows import replace_rows
from tests.authorization.schema_crawler import schema
from tests.support.databases import BACKENDS, Databases

RACERS = 20
MUTATIONS = [name for name in mutations() if name not in AUTHENTICATION | OWN_ORDERS]
# Rows that say how often something was tried.
_TRIES = {IdempotencyKey.__tablename__, LoginAttempt.__tablename__}


@pytest.fixture(scope="module")
async def setup(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    folder = tmp_path_factory.mktemp("races")
    async with open_setup(databases, backend, build_with_uploads, folder) as opened:
        # As before every other race, without tokens and mail.
        await replace_rows(opened.caller.crawler.database, opened.rows)
        await _open_connections(opened.caller.crawler.database)
        yield opened


async def _open_connections(database: Database) -> None:
    """Opens the connections of a whole race: one that has to connect first comes when the others are done."""
    all_open = asyncio.Barrier(1 if database.is_sqlite else RACERS)

    async def write() -> None:
        async with database.writing() as session:
            await session.execute(select(1))
            await all_open.wait()

    await asyncio.gather(*(write() for _ in range(all_open.parties)))


async def _counts(database: Database) -> dict[str, int]:
    """Returns how many rows each table has, and how many audit events each action."""
    async with database.reading(primary=True) as connection:
        counted = {
            table.name: int(await connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in metadata.sorted_tables
            if table.name not in _TRIES
        }
        # unscoped: counts of a test
        by_action = select(AuditEvent.action, func.count()).group_by(AuditEvent.action)
        counted |= {f"event {action}": number for action, number in await connection.execute(by_action)}
    return counted


class Race:
    """One mutation as a user in a role, on rows that are there again after each run."""

    def __init__(self, setup: Setup, mutation: str, role: Role) -> None:
        self._setup, self._mutation, self._role = setup, mutation, role
        self._variables = arguments(mutation, setup.of("main", role), clock.today())

    async def is_possible(self) -> bool:
        """Returns whether the mutation succeeds on these rows."""
        caller = self._setup.rollback_caller
        return not await caller.codes(self._setup.user(self._role), self._role, self._mutation, self._variables)

    async def once(self, key: str | None = None) -> tuple[str, ...]:
        """Sends the mutation; returns the codes of its errors. Fails for an error that is not the user's."""
        context = self._setup.caller.crawler.context(self._setup.user(self._role), self._role)
        context.client = Client(idempotency_key=key)
        answer = await schema().execute(
            document(self._mutation), variable_values=self._variables, context_value=context
        )
        assert answer.errors is None, answer.errors
        return tuple(error["code"] for error in answer.data[self._mutation]["errors"])

    async def left_by(self, count: int, at_once: bool, key: str | None = None) -> tuple[dict[str, int], list[object]]:
        """Sends it so often; returns the rows that were added, by table, and the codes of each, sorted."""
        database = self._setup.caller.crawler.database
        before = await _counts(database)
        if at_once:
            codes = await asyncio.gather(*(self.once(key) for _ in range(count)))
        else:
            codes = [await self.once(key) for _ in range(count)]
        after = await _counts(database)
        await replace_rows(database, self._setup.rows)
        changed = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
        return changed, sorted(codes)


async def race_of(setup: Setup, mutation: str) -> Race:
    """Returns the mutation in the first role in which it succeeds."""
    for role in COLUMNS:
        if may(role, mutation) and await (race := Race(setup, mutation, role)).is_possible():
            return race
    pytest.fail("no call succeeded: the arguments are wrong")


# What signs, ends or takes away, and one that adds. `scripts/test-long` tries the others, and the other database.
ONCE = {
    "unitSign", "reviewSign", "signatureRequestCancel", "guestSignatureInvite", "evidenceAssess", "evidenceWithdraw",
    "sessionComplete", "timeLogEntryApprove", "accessKeyRevoke", "roleRevoke", "employerManagerDeallocate",
    "timeLogEntryAdd",
}  # fmt: skip
# Of invitations at once one succeeds; later ones send it again. tests/resolvers/user/test_account.py has its races.
_SENT_AGAIN = "userInvite"


def each(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("backend", "mutation"),
        [
            pytest.param(
                backend, name, marks=() if name in ONCE and backend == "postgresql" else pytest.mark.long,
                id=f"{backend}-{name}",
            )
            for backend in BACKENDS for name in names
        ],
        indirect=["backend"], scope="session",
    )  # fmt: skip


@each(*(name for name in MUTATIONS if name != _SENT_AGAIN))
async def test_at_once_leaves_what_one_after_the_other_leaves(setup: Setup, mutation: str) -> None:
    race = await race_of(setup, mutation)
    # Who comes too late may get another error, such as NOT_FOUND for CONFLICT.
    assert (await race.left_by(RACERS, at_once=True))[0] == (await race.left_by(RACERS, at_once=False))[0]


@each(*MUTATIONS)
async def test_one_key_is_one_request(setup: Setup, mutation: str) -> None:
    race = await race_of(setup, mutation)
    left, codes = await race.left_by(RACERS, at_once=True, key="one click")
    assert codes == [()] * RACERS
    assert (left, codes[:1]) == await race.left_by(1, at_once=False)

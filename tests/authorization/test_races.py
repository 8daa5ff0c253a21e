"""Every mutation sent twenty times at once, as a double click, a retrying client or an attacker would.

What the requests leave behind is what they leave when they come one after the other; with one Idempotency-Key, it is
what one request leaves.

On PostgreSQL this is about the locks of rows: without them (`with_for_update`) the cases of `ONCE` fail, except that of
`signatureRequestCancel`, whose lock is for those who sign meanwhile: of several who cancel, the version of the row
refuses all but one with the same error. SQLite locks no rows: the transaction of any mutation has the write lock of the
file before it reads (`BEGIN IMMEDIATE`), so it reads what the last one has committed.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import func, select

from db.database import Database
from db.models.audit_event import AuditEvent
from db.models.auth_session import IdempotencyKey, LoginAttempt
from db.models.registry import metadata
from domain import clock
from domain.enums import Role
from repositories.time_log_entry import MINUTES_PER_DAY
from resolvers.core import unit_of_work
from resolvers.core.context import Client
from tests.authorization.mutation_caller import arguments, document, mutations
from tests.authorization.permission_setup import Setup, build_with_uploads, open_setup
from tests.authorization.permissions import AUTHENTICATION, COLUMNS, OWN_ORDERS, may
from tests.authorization.rows import Rows, replace_rows
from tests.authorization.schema_crawler import schema
from tests.support.databases import BACKENDS, Databases

RACERS = 20
MUTATIONS = [name for name in mutations() if name not in AUTHENTICATION | OWN_ORDERS]
# Rows that say how often something was tried.
_TRIES = {IdempotencyKey.__tablename__, LoginAttempt.__tablename__}


@pytest.fixture(scope="module")
async def setup(databases: Databases, backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    folder = tmp_path_factory.mktemp("races")
    async with open_setup(databases, backend, build_with_uploads, folder, connections=RACERS) as opened:
        opened.rows = _before(opened.rows)
        # As before every other race, without tokens and mail.
        await replace_rows(opened.caller.crawler.database, opened.rows)
        await _open_connections(opened.caller.crawler.database)
        yield opened


def _before(rows: Rows) -> Rows:
    """Returns the rows without revoked keys: revoking one again changes nothing."""
    return {**rows, "access_key": [{**row, "revoked_at": None} for row in rows["access_key"]]}


async def _open_connections(database: Database) -> None:
    """Opens the connections of a whole race: one that has to connect first comes when the others are done."""
    all_open = asyncio.Barrier(1 if database.is_sqlite else RACERS)

    async def write() -> None:
        async with database.writing() as session:
            await session.execute(select(1))
            await all_open.wait()

    await asyncio.gather(*(write() for _ in range(all_open.parties)))


@contextmanager
def _beginning_together(count: int) -> Iterator[None]:
    """Lets no transaction of a race read before all have begun: passwords, say, are checked one after the other."""
    begun, waited = asyncio.Barrier(count), set[asyncio.Task[object] | None]()
    acquire = unit_of_work.acquire

    async def acquire_together(*arguments: Any) -> str | None:
        # Once: who is tried again, after a deadlock, begins alone.
        if (task := asyncio.current_task()) not in waited:
            waited.add(task)
            async with asyncio.timeout(60):
                await begun.wait()
        return await acquire(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unit_of_work, "acquire", acquire_together)
        yield


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
        if mutation == "timeLogEntryAdd":
            # Not all fit into a day.
            self._variables["input"]["minutes"] = MINUTES_PER_DAY // (RACERS // 2)

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
            with _beginning_together(1 if database.is_sqlite else count):
                codes = await asyncio.gather(*(self.once(key) for _ in range(count)))
        else:
            codes = [await self.once(key) for _ in range(count)]
        after = await _counts(database)
        await replace_rows(database, self._setup.rows)
        changed = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
        return changed, sorted(codes)


async def race_of(setup: Setup, mutation: str) -> Race:
    """Returns the mutation in the first role in which it succeeds and, if it can, changes something."""
    found = "succeeded"
    for role in COLUMNS:
        if not may(role, mutation) or not await (race := Race(setup, mutation, role)).is_possible():
            continue
        if mutation in ADDS_NOTHING or (await race.left_by(1, at_once=False))[0]:
            return race
        found = "changed anything"
    pytest.fail(f"no call {found}: the arguments are wrong")


# What signs, ends or takes away, and one that adds. `scripts/test-long` tries the others, and the other database.
ONCE = {
    "evidenceSign", "signatureRequestCancel", "guestSignatureInvite", "evidenceAssess", "sessionComplete", "roleRevoke",
    "timeLogEntryAdd",
}  # fmt: skip
# One that signs, one that adds and one that takes away: keys are handled by one decorator for all mutations.
ONE_KEY = {"evidenceSign", "timeLogEntryAdd", "accessKeyRevoke"}
# On these rows they add and take away nothing, and record no event: their cases say only that nothing fails at once.
ADDS_NOTHING = {
    "aimUnitsChoose", "breakEnd", "evidenceUnmap", "notificationSettingsUpdate", "pushSubscriptionRemove",
    "reviewStart", "samplingPlanMake", "sampleConclude", "secondFactorReset", "sessionReopen", "timeLogEntryUnapprove",
    "unitSign", "roleGrant", "employerManagerAllocate", "employerOverviewAllocate",
}  # fmt: skip
# Of invitations at once one succeeds; later ones send it again. tests/resolvers/user/test_account.py has its races.
_SENT_AGAIN = "userInvite"


def each(*names: str, short: set[str]) -> pytest.MarkDecorator:
    """Parametrizes a test by `backend` and `mutation`. `short`: the mutations that are not long on PostgreSQL."""
    return pytest.mark.parametrize(
        ("backend", "mutation"),
        [
            pytest.param(
                backend, name, marks=() if name in short and backend == "postgresql" else pytest.mark.long,
                id=f"{backend}-{name}",
            )
            for backend in BACKENDS for name in names
        ],
        indirect=["backend"], scope="session",
    )  # fmt: skip


@each(*(name for name in MUTATIONS if name != _SENT_AGAIN), short=ONCE)
async def test_at_once_leaves_what_one_after_the_other_leaves(setup: Setup, mutation: str) -> None:
    race = await race_of(setup, mutation)
    left, codes = await race.left_by(RACERS, at_once=True)
    left_in_order, codes_in_order = await race.left_by(RACERS, at_once=False)
    assert left == left_in_order and (left == {}) is (mutation in ADDS_NOTHING)
    # Who comes too late may get another error, such as NOT_FOUND for CONFLICT. But what can be repeated in order, such
    # as an approval, can be at once: without a lock the version of the row would refuse it.
    assert codes.count(()) >= codes_in_order.count(())


@each(*MUTATIONS, short=ONE_KEY)
async def test_one_key_is_one_request(setup: Setup, mutation: str) -> None:
    race = await race_of(setup, mutation)
    left, codes = await race.left_by(RACERS, at_once=True, key="one click")
    assert codes == [()] * RACERS
    assert (left, codes[:1]) == await race.left_by(1, at_once=False)

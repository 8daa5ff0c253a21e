"""What checks a password is built and compiled once, not for each request."""

from itertools import pairwise

from auth.auth_sessions import password_hash_of_user
from auth.login_throttle import clear_attempt, known_client, record_attempt, unknown_client
from db.compiled_select import CompiledSelectCache
from db.database import Database
from domain import clock
from tests.support.databases import Databases


async def test_statements_of_attempts_are_compiled_once(databases: Databases) -> None:
    database = Database(await databases.fresh("postgresql"))
    caches = {id(cache): cache for cache in CompiledSelectCache._of_process.values()}.values()
    misses = []
    for number in range(5):
        await password_hash_of_user(database, number)
        for allowance in (known_client(f"device:{number}"), unknown_client(f"user{number}", "192.0.2.1")):
            attempt = await record_attempt(database, allowance, clock.now())
            assert isinstance(attempt, list) and len(attempt) == len(allowance.subjects)
            async with database.writing() as session:
                await clear_attempt(session, attempt)
        misses.append(sum(cache.misses for cache in caches))
    await database.close()
    # Servers of other tests may compile something in one round, and not in each.
    assert any(after == before for before, after in pairwise(misses))

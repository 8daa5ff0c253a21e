"""Checks what each role reaches in random data sets: `python -m tests.authorization.check_random_rows --count 1000`.

For each role a random user with that role reads everything. The records that they reach must be those of the oracle.
One of them must also read the same values from a database with only the rows that they may see.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from random import Random
from typing import Any

import structlog
from tqdm import tqdm

from db.database import Database
from domain.enums import Role
from tests.authorization.field_inventory import REQUEST_FIELDS, ROLE_FIELDS
from tests.authorization.oracle import Visibility, visible_rows
from tests.authorization.random_rows import random_rows
from tests.authorization.rows import replace_rows
from tests.authorization.viewer_crawler import (
    ViewerCrawler,
    differences,
    leaks,
    node_mismatches,
    unreachable,
    without_fields,
    without_own,
)
from tests.support.databases import BACKENDS, Databases


async def check_rows(seed: int, database: Database, folder: Path, roles: Collection[Role] = tuple(Role)) -> list[str]:
    """Returns what is wrong for the rows of a seed. Afterwards the database has only the rows that one viewer sees.

    `roles`: those whose reads are checked.
    """
    chance, rows = Random(seed), random_rows(seed)
    await replace_rows(database, rows)
    crawler, faults = ViewerCrawler(database, folder, rows), []
    viewers = [(_holder(rows, role, 1, chance), role) for role in Role]
    viewers.append((_holder(rows, Role.MASTER_ADMIN, 2, chance), Role.MASTER_ADMIN))
    viewers = [each for each in viewers if each[1] in roles]
    answers: dict[tuple[int, Role], dict[str, Any]] = {}
    for user, role in viewers:
        answers[user, role] = answer = await crawler.crawl(user, role)
        visibility = Visibility(rows, user, role)
        wrong = node_mismatches(visibility, answer["nodes"], crawler.ids) + [
            f"leak: {id}" for id in leaks(visibility, answer)
        ]
        wrong += [f"gap: {id} by no path" for id in unreachable(visibility, answer)]
        faults += [f"seed {seed}, User_{user} as {role.value}: {line}" for line in wrong]
    user, role = chance.choice(viewers)
    visibility = Visibility(rows, user, role)
    await replace_rows(database, visible_rows(rows, visibility))
    reduced = await crawler.crawl(user, Role.MASTER_ADMIN)
    answer = answers[user, role]
    invisible_users = {f"User_{row['id']}" for row in rows["user_account"]} - visibility.ids["User"]
    for each in (answer, reduced):
        each["nodes"] = {id: node for id, node in without_own(each["nodes"]).items() if id not in invisible_users}
    left_out = REQUEST_FIELDS | ROLE_FIELDS
    changed = differences(without_fields(answer, left_out), without_fields(reduced, left_out))
    return faults + [f"seed {seed}, User_{user} as {role.value}, changed by invisible rows: {line}" for line in changed]


def _holder(rows: Any, role: Role, provider: int, chance: Random) -> int:
    """Returns a random user of the provider with that role."""
    held = [row["user_id"] for row in rows["role_grant"] if row["role"] is role and row["provider_id"] == provider]
    return chance.choice(held)


async def _run(backend: str, seeds: range) -> int:
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        databases = Databases(Path(name))
        try:
            database = Database(await databases.fresh(backend))
            for seed in tqdm(seeds, unit="data set"):
                for line in await check_rows(seed, database, Path(name)):
                    faults += 1
                    tqdm.write(line)
            await database.close()
        finally:
            await databases.close()
    print(f"{len(seeds)} data sets on {backend}, {faults} faults")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks what each role reaches in random data sets.")
    parser.add_argument("--count", type=int, default=1000, help="number of data sets (1000)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed (0)")
    parser.add_argument("--database", choices=BACKENDS, default="sqlite", help="the database (sqlite)")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    return min(asyncio.run(_run(options.database, range(options.first, options.first + options.count))), 1)


if __name__ == "__main__":
    sys.exit(main())

"""Checks random worlds, one after the other: `python -m tests.authorization.random_worlds --worlds 1000`.

For each role somebody who holds it is chosen; what they reach by any path must be what the oracle says, and what one of
them is told must be what is told where there is nothing else.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import structlog
from tqdm import tqdm

from db.database import Database
from domain.enums import Role
from tests.authorization.field_inventory import OF_THE_REQUEST, OF_THE_ROLE
from tests.authorization.oracle import Visibility, visible_rows
from tests.authorization.random_rows import random_world
from tests.authorization.rows import replace_rows
from tests.authorization.viewer_crawler import (
    ViewerCrawler,
    differences,
    leaks,
    node_mismatches,
    unreachable,
    without_fields,
)
from tests.support.databases import BACKENDS, Databases


async def check_world(seed: int, database: Database, folder: Path) -> list[str]:
    """What is wrong in the world of a seed; the database is left with what one viewer sees of it."""
    chance, rows = Random(seed), random_world(seed)
    await replace_rows(database, rows)
    crawler, faults = ViewerCrawler(database, folder, rows), []
    viewers = [(_holder(rows, role, 1, chance), role) for role in Role]
    viewers.append((_holder(rows, Role.MASTER_ADMIN, 2, chance), Role.MASTER_ADMIN))
    answers: dict[tuple[int, Role], dict[str, Any]] = {}
    for user, role in viewers:
        answers[user, role] = answer = await crawler.crawl(user, role)
        visibility = Visibility(rows, user, role)
        wrong = node_mismatches(visibility, answer["nodes"], crawler.ids) + [
            f"leak: {id}" for id in leaks(visibility, answer)
        ]
        wrong += [f"gap: {id} by no path" for id in unreachable(visibility, answer)]
        faults += [f"world {seed}, User_{user} as {role.value}: {line}" for line in wrong]
    user, role = chance.choice(viewers)
    visibility = Visibility(rows, user, role)
    await replace_rows(database, visible_rows(rows, visibility))
    beside = await crawler.crawl(user, Role.MASTER_ADMIN)
    answer = answers[user, role]
    for row in rows["user_account"]:
        if (id := f"User_{row['id']}") not in visibility.ids["User"]:
            answer["nodes"].pop(id, None)
            beside["nodes"].pop(id, None)
    left_out = OF_THE_REQUEST | OF_THE_ROLE
    moved = differences(without_fields(answer, left_out), without_fields(beside, left_out))
    return faults + [f"world {seed}, User_{user} as {role.value}, moved by what is unseen: {line}" for line in moved]


def _holder(rows: Any, role: Role, provider: int, chance: Random) -> int:
    """Somebody of the provider with that role."""
    held = [row["user_id"] for row in rows["role_grant"] if row["role"] is role and row["provider_id"] == provider]
    return chance.choice(held)


async def _run(backend: str, seeds: range) -> int:
    faults = 0
    with tempfile.TemporaryDirectory() as name:
        databases = Databases(Path(name))
        try:
            database = Database(await databases.fresh(backend))
            for seed in tqdm(seeds, unit="world"):
                for line in await check_world(seed, database, Path(name)):
                    faults += 1
                    tqdm.write(line)
            await database.close()
        finally:
            await databases.close()
    print(f"{len(seeds)} worlds on {backend}, {faults} faults")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description="What each role reaches in worlds left to chance.")
    parser.add_argument("--worlds", type=int, default=1000, help="how many (1000)")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first seed (0)")
    parser.add_argument("--database", choices=BACKENDS, default="sqlite", help="where (sqlite)")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    return min(asyncio.run(_run(asked.database, range(asked.first, asked.first + asked.worlds))), 1)


if __name__ == "__main__":
    sys.exit(main())

"""The version of the tables, and whether the processes of this version can serve them.

A migration has two halves. `upgrade` expands: it only adds, so that older processes continue. `contract` removes what
only older processes need. The one row of `alembic_version` records both: `expanded` is the newest migration whose
`upgrade` has run, and `version_num` the oldest version of the code that the tables still serve. `fills` says how far
the fills of migrations are (`db/migration_batches.py`).
"""

import functools
import json
from dataclasses import dataclass, field
from pathlib import Path

from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, inspect

from db.database import Database
from db.migration_batches import Fill

FOLDER = Path(__file__).parent / "migrations"
_SELECT_SQLITE = "SELECT * FROM alembic_version"
# As JSON, because the column `expanded` may appear while a statement with these columns is prepared.
_SELECT_POSTGRESQL = "SELECT to_jsonb(alembic_version) AS columns FROM alembic_version"


@dataclass(frozen=True, slots=True)
class TableVersion:
    """The version of the tables. Both revisions are None if the database has no tables."""

    # The oldest revision of the code that can serve the tables.
    oldest: str | None
    # The newest migration whose `upgrade` has run.
    expanded: str | None
    # The fills that have not run for the last time, and the last key that each has written: None if it is at its end.
    fills: dict[str, int | None] = field(default_factory=dict)


class Migrations:
    """The migrations of a folder, in their order."""

    def __init__(self, folder: Path = FOLDER) -> None:
        config = Config()
        config.set_main_option("script_location", str(folder))
        self.config = config
        self.scripts: list[Script] = list(reversed(list(ScriptDirectory.from_config(config).walk_revisions())))
        self.revisions = [script.revision for script in self.scripts]
        # By the revision and the name of the fill.
        self.fills: dict[str, Fill] = {}
        for script in self.scripts:
            self.fills |= self.fills_of(script)

    @property
    def head(self) -> str:
        """The newest revision, which is the version of the code."""
        return self.revisions[-1]

    def fills_of(self, script: Script) -> dict[str, Fill]:
        """Returns the fills of a migration, by its revision and their names."""
        return {f"{script.revision} {fill.name}": fill for fill in getattr(script.module, "fills", ())}

    def after(self, revision: str | None) -> list[Script]:
        """Returns the migrations after a revision; None means before the first."""
        return self.scripts[self.revisions.index(revision) + 1 :] if revision is not None else self.scripts

    def pending(self, version: TableVersion) -> list[Script]:
        """Returns the migrations whose `upgrade` has not run; none if the tables are newer than this code."""
        if version.expanded is not None and version.expanded not in self.revisions:
            return []
        return self.after(version.expanded)

    def to_contract(self, version: TableVersion) -> list[Script]:
        """Returns the migrations that are expanded and have a `contract` that has not run."""
        if version.oldest not in self.revisions or version.expanded not in self.revisions:
            return []
        expanded = self.revisions.index(version.expanded) + 1
        return [
            script
            for script in self.scripts[self.revisions.index(version.oldest) + 1 : expanded]
            if hasattr(script.module, "contract")
        ]

    def to_fill(self, version: TableVersion) -> list[str]:
        """Returns the fills of expanded migrations that are not at their end."""
        return [step for step, last in version.fills.items() if step in self.fills and last is not None]

    def to_fill_again(self, version: TableVersion) -> list[str]:
        """Returns the fills that run again before the tables contract."""
        return [step for step in version.fills if step in self.fills]

    def is_expanding(self, version: TableVersion) -> bool:
        """Returns whether an `upgrade` or a fill has not run to its end."""
        return bool(self.pending(version) or self.to_fill(version))

    def is_to_contract(self, version: TableVersion) -> bool:
        """Returns whether a `contract`, or a fill that runs again before it, has not run."""
        return bool(self.to_contract(version) or self.to_fill_again(version))

    def problem(self, version: TableVersion) -> str | None:
        """Returns why this code cannot serve the tables, as a sentence; None if it can."""
        if version.oldest is None:
            return "The database has no tables: run `server.py migrate` first."
        if version.oldest not in self.revisions:
            return "The tables are newer than this version of Waymark: start the version that migrated them."
        if self.to_fill(version) or any(getattr(script.module, "required", True) for script in self.pending(version)):
            return "The tables are older than this version of Waymark: run `server.py migrate` first."
        return None


@functools.cache
def migrations() -> Migrations:
    """Returns the migrations of this version: read once a process, because /ready needs them again and again."""
    return Migrations()


def version_of(connection: Connection) -> TableVersion:
    """Reads the version of the tables."""
    is_sqlite = connection.dialect.name == "sqlite"
    if not inspect(connection).has_table("alembic_version"):
        return TableVersion(None, None)
    rows = connection.exec_driver_sql(_SELECT_SQLITE if is_sqlite else _SELECT_POSTGRESQL).all()
    if not rows:
        return TableVersion(None, None)
    row = rows[0]._mapping if is_sqlite else rows[0].columns
    # Version 0.1.0 has no column `expanded`, and contracts with every migration.
    return TableVersion(
        row["version_num"], row.get("expanded") or row["version_num"], json.loads(row.get("fills") or "{}")
    )


async def table_version(database: Database) -> TableVersion:
    """Reads the version of a database's tables."""
    async with database.reading(primary=True) as connection:
        return await connection.run_sync(version_of)


async def table_problem(database: Database) -> str | None:
    """Returns why this version cannot serve the database's tables, as a sentence; None if it can."""
    return migrations().problem(await table_version(database))

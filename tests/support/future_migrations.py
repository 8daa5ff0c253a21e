"""Migrations after the newest one, for tests of releases: a folder with copies of all migrations and further ones."""

import shutil
from pathlib import Path

from db.table_version import FOLDER, Migrations, migrations

_FILE = '''"""{about}."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None
{declared}

def upgrade() -> None:
    {upgrade}


{contract}def downgrade() -> None:
    pass
'''


def with_migrations(folder: Path, *further: dict[str, str]) -> Migrations:
    """Returns all migrations and further ones: each with `about`, `upgrade`, and maybe `contract` and `declared`."""
    target = folder / "migrations"
    shutil.copytree(FOLDER, target, ignore=shutil.ignore_patterns("__pycache__"))
    before = migrations().head
    for number, each in enumerate(further, int(before) + 1):
        write_migration(target, f"{number:04}", before, **each)
        before = f"{number:04}"
    return Migrations(target)


def write_migration(
    folder: Path, revision: str, before: str, about: str, upgrade: str, contract: str | None = None, declared: str = ""
) -> None:
    """Writes a migration file into a folder of migrations."""
    half = f"def contract() -> None:\n    {contract}\n\n\n" if contract else ""
    text = _FILE.format(
        about=about, revision=revision, before=before, declared=declared, upgrade=upgrade, contract=half
    )
    (folder / "versions" / f"{revision}_future.py").write_text(text)

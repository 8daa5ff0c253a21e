"""The rows of a demo, for its tests."""

from sqlalchemy import select
from sqlalchemy.engine import Row

from db.database import Database
from db.models.registry import metadata
from services.storage.file_store import FileStore


class DemoData:
    """A demo database with the rows of every table, read once."""

    def __init__(self, database: Database, store: FileStore) -> None:
        self.database, self.store = database, store
        self.tables: dict[str, list[Row]] = {}

    async def read(self) -> "DemoData":
        for name, table in metadata.tables.items():
            self.tables[name] = list(await self.database.rows(select(table)))
        return self

    def __getitem__(self, name: str) -> list[Row]:
        return self.tables[name]

    def by_id(self, name: str) -> dict[int, Row]:
        return {row.id: row for row in self.tables[name]}

    def user(self, username: str) -> int:
        (key,) = [user.id for user in self["user_account"] if user.username == username]
        return key

    def learner(self, username: str = "learner") -> Row:
        user = self.user(username)
        (row,) = [learner for learner in self["learner"] if learner.user_id == user]
        return row

    def of(self, name: str, learner: Row) -> list[Row]:
        return [row for row in self[name] if row.learner_id == learner.id]

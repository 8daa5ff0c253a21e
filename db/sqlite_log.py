"""Empties SQLite's write-ahead log, in which erased text stays until it is overwritten."""

from sqlalchemy.exc import OperationalError

from db.database import Database

# Not for as long as a write may wait: the sweeper tries again.
_BUSY_MILLISECONDS = 2000


async def truncate_log(database: Database) -> bool:
    """Moves the write-ahead log into the database and empties it, so that what was erased is nowhere.

    Returns False if a reader or a writer kept it from that; a later call then does it. PostgreSQL needs none.
    """
    if not database.is_sqlite:
        return True
    try:
        async with database.reading(primary=True) as connection:
            waits = (await connection.exec_driver_sql("PRAGMA busy_timeout")).scalar_one()
            await connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
            try:
                result = await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                return bool(result.one()[0] == 0)
            finally:
                await connection.exec_driver_sql(f"PRAGMA busy_timeout={waits}")
    except OperationalError:
        return False

"""The check of rule 5, which finds rows that are read by position, and passes what reads them by name."""

from pathlib import Path

import pytest

from tests.support.row_positions import positional_reads

_KEPT = "async def kept(session):\n    return (await session.execute(1)).all()\n\n"


def found_in(folder: Path, lines: str) -> list[str]:
    """Returns the findings in a function with these lines."""
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    (folder / "a.py").write_text(f"{_KEPT}async def read(session):\n{body}")
    return positional_reads(folder, ["a.py"])


@pytest.mark.parametrize(
    "lines",
    [
        "row = (await session.execute(statement)).one()\nreturn row[1]",
        "rows = await database.rows(statement)\nreturn rows[0][0]",
        "for key, name, size in await session.execute(statement):\n    print(key, name, size)",
        "async for row in await session.stream(statement):\n    print(row[-1])",
        "key, *counts = (await session.execute(statement)).first()",
        "[[key, name, size]] = await pool.fetch(sql, ())",
        "return [Signer(*row) for row in await session.execute(statement)]",
        "return [str(value) for row in await session.execute(statement) for value in row]",
        "found = sorted(await session.execute(statement))\nreturn {row[0]: row for row in found}",
        "return max(await kept(session))[2]",
        "[row] = await kept(session)\nreturn row[0]",
    ],
)
def test_a_row_that_is_read_by_position_is_found(tmp_path: Path, lines: str):
    (report,) = found_in(tmp_path, lines)
    assert report.startswith("a.py: line ") and report.endswith(" reads a row by position")


@pytest.mark.parametrize(
    "lines",
    [
        "rows = await database.rows(statement)\nreturn rows[0].name if rows else None",
        "return {key: name for key, name in await session.execute(statement)}",
        "[aim] = await session.scalars(statement)\nreturn aim",
        "return [Signer(**row._mapping) for row in await session.execute(statement)]",
        "rows = (await session.execute(statement)).all()\nreturn [row.key for row in rows[:9]]",
        "learner, session, aims = await asyncio.gather(reading.rows(1), reading.rows(2), reading.rows(3))",
    ],
)
def test_rows_that_are_read_by_name_pass(tmp_path: Path, lines: str):
    assert found_in(tmp_path, lines) == []

"""Makes the Parquet file of a bulk export from its rows on the disk: `python -m queries.parquet_pieces FOLDER COUNT`.

Polars takes as much memory as a page of rows with all that reads it, so one process does not have both: `export_worker`
writes the rows with `RowsWriter`, and then becomes this program.
"""

import json
import os
import shutil
import struct
import sys
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from .file_writers import FileWriter, ParquetWriter
from .response_shape import Column, ColumnType

# The names of the files in the folder of an export: its rows, and what it is when it is complete.
ROWS, EXPORT = "rows", "export"
_LENGTH = struct.Struct("!I")
# Of zlib: the fastest. Most values repeat.
_LEVEL = 1


class RowsWriter(FileWriter):
    """Compressed JSON: the name and the columns, then the values of each piece by column."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._file = self.path.open("wb")
        self._add([self.name, [[column.name, column.type.value] for column in self.columns]])

    def write(self, values: list[list[Any]]) -> None:
        self._add(values)

    def finish(self) -> None:
        self._file.close()

    def _add(self, content: Any) -> None:
        data = zlib.compress(orjson.dumps(content), _LEVEL)
        self._file.write(_LENGTH.pack(len(data)) + data)


def write_parquet(folder: Path) -> None:
    """Makes the file `EXPORT` in a folder from its file `ROWS`, and deletes that file. Raises OSError."""
    with (folder / ROWS).open("rb") as file:
        contents = _contents(file)
        name, columns = next(contents)
        typed: Sequence[Column] = [Column(column, ColumnType(type)) for column, type in columns]
        writer = ParquetWriter(name, typed, folder / EXPORT, folder)
        for values in contents:
            writer.write(values)
    (folder / ROWS).unlink()
    writer.finish()


def _contents(file: BinaryIO) -> Iterator[Any]:
    while length := file.read(_LENGTH.size):
        yield orjson.loads(zlib.decompress(file.read(*_LENGTH.unpack(length))))


def end_with_input(folder: str) -> None:
    """Waits for the end of the standard input, which the server's end is; removes the folder then and ends."""
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def become(folder: Path, count: int, output: BinaryIO) -> None:
    """Runs this program instead of that of the process, with `output` as its standard output. Raises OSError."""
    os.dup2(output.fileno(), 1)
    os.execv(sys.executable, [sys.executable, "-P", "-m", __name__, str(folder), str(count)])


def main(folder: str, count: str) -> None:
    """Makes the file and reports it, as `export_worker` does."""
    threading.Thread(target=end_with_input, args=(folder,), daemon=True).start()
    try:
        write_parquet(Path(folder))
        message: dict[str, Any] = {"rows": int(count), "done": True}
    except OSError:
        message = {"failure": "NO_SPACE"}
    print(json.dumps(message), flush=True)
    # Without waiting for the threads of libraries.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])

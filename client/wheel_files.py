"""A build hook: the wheel's package `waymark` is queries/ with the schema, without what only the server uses."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The server makes its reports with these modules, and with those of queries/odata, in its own process.
SERVER_ONLY = ("parquet_pieces.py", "reports.py", "served.py")


class WheelFiles(BuildHookInterface):
    """Names the files of the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Maps each file of the repository to its place in the wheel."""
        repository = Path(self.root).parent
        for file in sorted((repository / "queries").iterdir()):
            if file.suffix in (".py", ".graphql", ".typed") and file.name not in SERVER_ONLY:
                build_data["force_include"][str(file)] = f"waymark/{file.name}"
        build_data["force_include"][str(repository / "schema" / "schema.graphql")] = "waymark/data/schema.graphql"

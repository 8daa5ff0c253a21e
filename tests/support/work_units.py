"""Which worker of pytest-xdist runs which tests: those of a file on one database together, and what waits apart."""

import re

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from tests.support.databases import BACKENDS

_BACKEND = re.compile(rf"[\[-]({'|'.join(BACKENDS)})[\]-]")
# Nearly all of their time they wait for timeouts: one after the other they take no processor from the others.
_WAITS = "tests/system/faults/"
# Files that are one unit, because the first reads or compiles for all of them what takes longest.
_TOGETHER = {
    f"tests/authorization/test_{name}.py": unit
    for unit, names in {
        "crawled": ("matrix", "lists", "exports_and_streams", "unknown_ids"),
        "loaders": ("loader_probe", "cross_tenant_rows"),
    }.items()
    for name in names
}


class WorkUnits(LoadFileScheduling):
    """Gives each worker units of one kind while there are some: the tests that wait, those on SQLite, on PostgreSQL.

    A worker compiles the statements that its tests send. If it keeps to one database, it compiles half as many.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        if file.startswith(_WAITS):
            return f"{file} waits"
        found = _BACKEND.search(test)
        return f"{_TOGETHER.get(file, file)} {found[1] if found else 'any'}"

    def _assign_work_unit(self, node: WorkerController) -> None:
        number = int(node.gateway.id.removeprefix("gw"))
        wanted = ("waits", *BACKENDS)[number if number < 3 else 1 + number % 2]

        def distance(unit: str) -> int:
            """How far a unit is from what the worker should have; of several the first of the queue is taken."""
            kind = unit.rpartition(" ")[2]
            if kind == wanted or (kind == "any" and wanted != "waits"):
                return 0
            return 2 if kind == "waits" else 1

        self.workqueue.move_to_end(min(self.workqueue, key=distance), last=False)
        super()._assign_work_unit(node)

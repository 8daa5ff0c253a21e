"""Prometheus metrics of what is bounded: the tables that the server sweeps, and the exports at once."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.exports.slots import ExportSlots
from services.sweeper import Sweeper


class SweepMetrics(Collector):
    """Reads the state of the sweeper and of the exports when the metrics are read."""

    def __init__(self, sweeper: Sweeper, exports: ExportSlots, bulk_exports: Callable[[], int]) -> None:
        self._sweeper = sweeper
        self._exports = exports
        self._bulk_exports = bulk_exports

    def collect(self) -> Iterator[Metric]:
        """The metrics, one sample for each table."""
        rows = GaugeMetricFamily(
            "waymark_sweep_rows", "Rows that the server will delete one day, at the last pass.", labels=["table"]
        )
        last_run = GaugeMetricFamily(
            "waymark_sweep_last_run_timestamp_seconds",
            "When this process last looked at the table; 0 before the first time.",
            labels=["table"],
        )
        deleted = CounterMetricFamily(
            "waymark_sweep_deleted", "Rows that this process has deleted because they had ended.", labels=["table"]
        )
        for table, state in sorted(self._sweeper.states.items()):
            rows.add_metric([table], state.rows)
            last_run.add_metric([table], state.last_run.timestamp() if state.last_run else 0)
            deleted.add_metric([table], state.deleted)
        yield from (rows, last_run, deleted)
        yield GaugeMetricFamily("waymark_exports_made", "Exports that are being made.", self._exports.running)
        yield GaugeMetricFamily("waymark_bulk_exports_made", "Bulk exports that are being made.", self._bulk_exports())
        yield GaugeMetricFamily(
            "waymark_exports_open", "Exports that are being made or downloaded.", self._exports.held
        )

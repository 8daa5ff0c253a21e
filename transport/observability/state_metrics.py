"""Prometheus metrics of what a process works with: pools, outbox, listener, replica, file store, trusted documents."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from db.database import Database
from services.change_feed.feed import ChangeFeed
from services.installation_state import InstallationState
from services.trusted_documents.registry import TrustedDocuments


class StateMetrics(Collector):
    """Reads the state when the metrics are read, without a statement."""

    def __init__(
        self, database: Database, changes: ChangeFeed, state: InstallationState, trusted: TrustedDocuments
    ) -> None:
        self._database = database
        self._changes = changes
        self._state = state
        self._trusted = trusted

    def collect(self) -> Iterator[Metric]:
        """The metrics. Those of a part that the installation does not have are without a sample."""
        yield from self._pools()
        outbox = self._state.outbox
        yield GaugeMetricFamily("waymark_outbox_waiting", "E-mails that are to be sent.", outbox.waiting)
        yield GaugeMetricFamily(
            "waymark_outbox_delay_seconds", "For how long e-mails have waited and none was sent; 0 if none waits.",
            self._state.outbox_delay(),
        )  # fmt: skip
        yield GaugeMetricFamily(
            "waymark_outbox_given_up", "E-mails that could not be sent in a week, of the last 30 days.", outbox.given_up
        )
        yield GaugeMetricFamily(
            "waymark_listener_connected", "Whether this process receives the changes of all processes (1) or not (0).",
            int(self._changes.is_listening()),
        )  # fmt: skip
        lag = GaugeMetricFamily("waymark_replica_lag_seconds", "How far the replica is behind; +Inf if it is away.")
        if self._database.replica is not None:
            lag.add_metric([], self._database.replica.lag_seconds())
        free = GaugeMetricFamily("waymark_store_free_bytes", "Space for files, of a store in a folder.")
        if self._state.free_bytes is not None:
            free.add_metric([], self._state.free_bytes)
        kept = self._state.bulk_export_bytes
        yield GaugeMetricFamily("waymark_bulk_export_bytes", "Size of the files of bulk exports that are kept.", kept)
        yield from (lag, free)
        yield from self._trusted_documents()

    def _trusted_documents(self) -> Iterator[Metric]:
        # The labels are those that the operator has registered, so that clients cannot add any.
        labels = ("client", "version")
        number = GaugeMetricFamily("waymark_trusted_documents", "Registered documents of a client.", labels=labels)
        uses = CounterMetricFamily(
            "waymark_trusted_document_uses", "Requests to this process with a registered document.", labels=labels
        )
        for client, documents in sorted(self._trusted.counts().items()):
            number.add_metric(client, documents)
            uses.add_metric(client, self._trusted.uses[client])
        yield from (number, uses)

    def _pools(self) -> Iterator[Metric]:
        in_use = GaugeMetricFamily("waymark_pool_in_use", "Connections in use.", labels=["pool"])
        limit = GaugeMetricFamily("waymark_pool_limit", "Connections that the pool may open.", labels=["pool"])
        waiting = GaugeMetricFamily("waymark_pool_waiting", "Callers that wait for a connection.", labels=["pool"])
        for name, counts in sorted(self._database.pool_counts().items()):
            in_use.add_metric([name], counts.in_use)
            limit.add_metric([name], counts.limit)
            waiting.add_metric([name], counts.waiting)
        yield from (in_use, limit, waiting)

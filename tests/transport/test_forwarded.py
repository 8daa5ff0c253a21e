"""X-Forwarded-For is trusted from trusted proxies only; any other sender is logged once, then counted."""

import pytest
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from transport.forwarded import ForwardedAddress
from transport.observability.metrics import Metrics


async def client_seen(forwarded: ForwardedAddress, seen: list[str], client: str, **headers: str) -> str:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "scheme": "http", "headers": raw, "client": (client, 50_000)}
    await forwarded(scope, None, None)  # type: ignore[arg-type]
    return seen.pop()


@pytest.fixture
def seen() -> list[str]:
    return []


def behind(seen: list[str], metrics: Metrics, trusted: str) -> ForwardedAddress:
    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["client"][0])

    return ForwardedAddress(app, trusted, metrics)


def counted(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("waymark_untrusted_forwarded_requests_total")


async def test_a_trusted_proxy_names_the_client(seen: list[str]):
    metrics = Metrics()
    forwarded = behind(seen, metrics, "127.0.0.1, 10.0.0.0/8")
    with capture_logs() as lines:
        for proxy in ("127.0.0.1", "10.1.2.3"):
            assert await client_seen(forwarded, seen, proxy, x_forwarded_for="203.0.113.7") == "203.0.113.7"
        # Without the header there is nothing to trust.
        assert await client_seen(forwarded, seen, "192.0.2.1") == "192.0.2.1"
    assert (lines, counted(metrics)) == ([], 0)


async def test_an_untrusted_proxy_is_logged_once_and_counted(seen: list[str]):
    metrics = Metrics()
    forwarded = behind(seen, metrics, "10.0.0.0/8")
    with capture_logs() as lines:
        for _ in range(5):
            assert await client_seen(forwarded, seen, "192.0.2.1", x_forwarded_for="203.0.113.7") == "192.0.2.1"
    (line,) = lines
    assert (line["event"], line["address"]) == ("untrusted_proxy", "192.0.2.1")
    assert "WAYMARK_TRUSTED_PROXIES" in line["hint"]
    assert "203.0.113.7" not in str(line)
    assert counted(metrics) == 5

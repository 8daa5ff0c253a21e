"""Checks of the settings themselves: addresses, keys, proxies."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from services.doctor.finding import Finding, ok, problem, warning
from services.quotas import Quotas
from services.settings import Settings, read_settings

# More keys than the new and the last one are a rotation that was not finished.
_MOST_KEYS = 2


def check_settings(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yields the findings about the settings, which were read from the environment."""
    yield from _names(environment)
    if settings.is_demo:
        yield problem(
            "database",
            "This is the demo, with known passwords: set WAYMARK_DATABASE_URL, or load the file with the settings.",
        )
    yield _base_url(settings)
    yield _host(settings)
    yield _metrics(settings)
    yield _keys(settings)
    yield _proxies(settings)
    if settings.graphiql and not settings.is_demo:
        yield warning("graphiql", "GraphiQL is public: set WAYMARK_GRAPHIQL=off.")


def _names(environment: Mapping[str, str]) -> Iterator[Finding]:
    try:
        Quotas.read(environment)
    except ValueError as error:
        yield problem("settings", f"The server does not start: {error}.")
    if unknown := unknown_settings(environment):
        yield warning("settings", f"These are no settings of the server: {', '.join(unknown)}. Is a name misspelled?")
    else:
        yield ok("settings", "Every variable that begins with WAYMARK_ is a setting.")


def _base_url(settings: Settings) -> Finding:
    if settings.base_url.startswith("https://"):
        return ok("base-url", "WAYMARK_BASE_URL begins with https.")
    return problem("base-url", "People open the portfolio without TLS: put a proxy in front and set an https address.")


def _host(settings: Settings) -> Finding:
    if _is_local(settings.host):
        return ok("host", "The server listens on this machine only.")
    return warning(
        "host", "The server listens on the network without TLS: set WAYMARK_HOST=127.0.0.1, or use a firewall."
    )


def _metrics(settings: Settings) -> Finding:
    if settings.metrics_address is None:
        return warning("metrics", "WAYMARK_METRICS is off: no alert can be raised.")
    if _is_local(settings.metrics_address[0]):
        return ok("metrics", "/metrics is served to this machine only.")
    return warning("metrics", "/metrics is served on the network: set WAYMARK_METRICS to an address of this machine.")


def _keys(settings: Settings) -> Finding:
    keys = list(settings.secret_keys.values())
    if len(set(keys)) < len(keys):
        return problem("keys", "WAYMARK_SECRET_KEYS has the same key under two ids: make a new one.")
    if len(keys) > _MOST_KEYS:
        return warning("keys", "WAYMARK_SECRET_KEYS has more than two keys: remove those older than half an hour.")
    return ok("keys", "The keys are long enough, and no old one is left.")


def _proxies(settings: Settings) -> Finding:
    trusted = [each.strip() for each in settings.trusted_proxies.split(",")]
    if "*" in trusted or any(each.endswith("/0") for each in trusted):
        return problem(
            "proxies",
            "Every client can forge its address: set WAYMARK_TRUSTED_PROXIES to the addresses of the proxies.",
        )
    if not _is_local(settings.host) and all(_is_local(each) for each in trusted):
        return warning(
            "proxies",
            "The proxy is on another machine and not trusted, so all users share its address in the limits: set "
            "WAYMARK_TRUSTED_PROXIES.",
        )
    return ok("proxies", "WAYMARK_TRUSTED_PROXIES names proxies.")


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def unknown_settings(environment: Mapping[str, str]) -> list[str]:
    """Returns the names of variables that begin with WAYMARK_ and are no setting: one that is misspelled has no effect.

    Those of limits and quotas are not among them. Raises what `read_settings` raises.
    """
    read = _Recorded(environment)
    read_settings(read)
    return sorted(name for name in environment if _is_setting(name) and name not in read.names)


def _is_setting(name: str) -> bool:
    # An unknown limit or quota stops the server.
    return name.startswith("WAYMARK_") and not name.startswith(("WAYMARK_LIMIT_", "WAYMARK_QUOTA_"))


class _Recorded(Mapping[str, str]):
    """An environment that records the names that are looked up."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._environment[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environment)

    def __len__(self) -> int:
        return len(self._environment)

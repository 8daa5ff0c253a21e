"""A bucket of S3, or of a server with its protocol, by the usual AWS_… variables."""

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from obstore.exceptions import BaseError
from obstore.store import S3Store

# A store that does not answer fails a request after 25 s, so that an upload gives up within 30.
_TIMEOUTS = {"connect_timeout": "5 seconds", "timeout": "25 seconds"}
_RETRY_CONFIG: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=15)}
# The library takes these from the environment only where the code gives no options of the client.
CLIENT_OPTIONS = (
    "allow_http", "allow_invalid_certificates", "connect_timeout", "default_content_type", "http1_only",
    "http2_keep_alive_interval", "http2_keep_alive_timeout", "http2_keep_alive_while_idle", "http2_only",
    "pool_idle_timeout", "pool_max_idle_per_host", "proxy_ca_certificate", "proxy_excludes", "proxy_url",
    "randomize_addresses", "read_timeout", "root_certificate", "timeout", "user_agent",
)  # fmt: skip


def open_bucket(url: str, environment: Mapping[str, str] = os.environ) -> S3Store:
    """Returns the store at `s3://bucket/prefix`. Raises ValueError for a variable that the library does not take."""
    named = {name: f"AWS_{name.upper()}" for name in CLIENT_OPTIONS}
    options: Any = _TIMEOUTS | {
        name: environment[variable] for name, variable in named.items() if variable in environment
    }
    try:
        return S3Store.from_url(url, client_options=options, retry_config=_RETRY_CONFIG)
    except BaseError:
        raise ValueError("One of the AWS_… variables is not valid, so the file store cannot be opened.") from None

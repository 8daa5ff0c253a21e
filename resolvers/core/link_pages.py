"""Wraps a function for the pages behind links in e-mails, which run without a context."""

from collections.abc import Awaitable, Callable
from typing import Any

from resolvers.core.context import Client, Services


def page_action(services: Services, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Returns what a page calls with its arguments, the caller's address and the request id.

    It calls `work` with the services, the arguments and the client.
    """

    async def run(*given: Any) -> Any:
        *arguments, address, request_id = given
        return await work(services, *arguments, Client(address, request_id))

    return run

"""What the protocol does with the context of an operation, which it is given and does not make."""

from inspect import isawaitable
from typing import Any


async def close(context: Any) -> None:
    """Closes a context, whose close may be a coroutine."""
    closing = context.close()
    if isawaitable(closing):
        await closing


async def still_signed_in(context: Any) -> bool:
    """Whether the sign-in behind a context still holds; a caller who never signed in has none to lose."""
    return context.viewer is None or await context.still_signed_in()

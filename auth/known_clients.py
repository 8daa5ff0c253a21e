"""Clients that have signed in to an account before: by a token that the device keeps, or by their network.

The device token is what OWASP calls a device cookie. It opens nothing: it only gives the device an allowance of wrong
passwords of its own, so that guesses from elsewhere do not lock its user out.
"""

import datetime as dt
import secrets

from auth.tokens import AccessTokens, digest

# How long a network stays known after a login.
KNOWN_NETWORK = dt.timedelta(days=90)
_PURPOSE = "device token"


def new_device_token(tokens: AccessTokens, user_key: int) -> str:
    """Returns a token for a device on which the user has signed in."""
    name = secrets.token_urlsafe(16)
    return f"{name}.{tokens.derive(_PURPOSE, f'{user_key}:{name}')}"


def is_device_of(tokens: AccessTokens, user_key: int, device_token: str) -> bool:
    """Returns whether the token was made for that user."""
    name, _, proof = device_token[:200].partition(".")
    return proof.isascii() and tokens.is_derived(proof, _PURPOSE, f"{user_key}:{name}")


def network_mark(username: str, network: str) -> str | None:
    """Returns the pseudonym of a network in the logins of an account; None for a text that is not an address."""
    return None if network == "unknown" else digest(f"network:{username}:{network}")

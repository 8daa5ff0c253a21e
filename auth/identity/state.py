"""The `state` of a sign-in that was begun at an identity provider, and the nonce that belongs to it.

Both are derived from the installation's keys, so that a stranger who begins sign-ins fills no table.
"""

import datetime as dt
import secrets

from auth.tokens import AccessTokens

LIFETIME = dt.timedelta(minutes=30)
_STATE, _NONCE = "identity state", "identity nonce"


def new_state(tokens: AccessTokens, identity_provider_key: int, now: dt.datetime) -> str:
    """Returns the state of a new sign-in at an identity provider, valid for 30 minutes."""
    text = f"{secrets.token_urlsafe(16)}.{int((now + LIFETIME).timestamp())}"
    return f"{text}.{tokens.derive(_STATE, f'{identity_provider_key}:{text}')}"


def is_state(tokens: AccessTokens, identity_provider_key: int, state: str, now: dt.datetime) -> bool:
    """Returns whether a sign-in at this identity provider was begun with this state, and has not expired."""
    text, _, proof = state[:200].rpartition(".")
    expires = text.rpartition(".")[2]
    if not proof.isascii() or not tokens.is_derived(proof, _STATE, f"{identity_provider_key}:{text}"):
        return False
    return int(expires) > now.timestamp()


def nonce_of(tokens: AccessTokens, state: str) -> str:
    """Returns the nonce that the ID token of this sign-in has to contain."""
    return tokens.derive(_NONCE, state)

"""Access tokens: keys are rotated and long enough, and expired tokens are rejected."""

import datetime as dt

import pytest

from auth.tokens import AccessTokens, InvalidToken
from domain import clock
from domain.enums import Role


def test_keys_can_be_rotated() -> None:
    old, new = b"o" * 32, b"n" * 32
    token = AccessTokens({"old": old}).sign(1, Role.LEARNER, 1)
    assert AccessTokens({"new": new, "old": old}).verify(token).user_key == 1
    with pytest.raises(InvalidToken):
        AccessTokens({"new": new}).verify(token)


def test_a_short_key_is_rejected() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        AccessTokens({"short": b"x" * 31})


def test_an_expired_token_is_rejected_even_if_it_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = AccessTokens({"key": b"k" * 32})
    token = tokens.sign(1, Role.LEARNER, 1)
    assert tokens.verify(token) == tokens.verify(token)
    later = clock.now() + dt.timedelta(minutes=15, seconds=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(InvalidToken):
        tokens.verify(token)


@pytest.mark.parametrize("seconds", [-9, -1, 0, 1, 9])
def test_clocks_that_differ_by_seconds_reject_no_token(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """The machine that signs is that many seconds ahead of the one that verifies, or behind it."""
    keys = {"key": b"k" * 32}
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + dt.timedelta(seconds=seconds))
    fresh = AccessTokens(keys).sign(1, Role.LEARNER, 1)
    # Its last second by the clock of the machine that signed it.
    old_by = dt.timedelta(minutes=15, seconds=-1)
    monkeypatch.setattr(clock, "now", lambda: real() + dt.timedelta(seconds=seconds) - old_by)
    old = AccessTokens(keys).sign(1, Role.LEARNER, 1)
    monkeypatch.setattr(clock, "now", real)
    for token in (fresh, old):
        assert AccessTokens(keys).verify(token).user_key == 1


@pytest.mark.parametrize("seconds", [13, 3600])
def test_a_token_from_the_future_is_rejected(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    keys = {"key": b"k" * 32}
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + dt.timedelta(seconds=seconds))
    token = AccessTokens(keys).sign(1, Role.LEARNER, 1)
    monkeypatch.setattr(clock, "now", real)
    with pytest.raises(InvalidToken):
        AccessTokens(keys).verify(token)

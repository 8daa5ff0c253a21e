"""Signed links: they expire, serve one purpose, and any change to their text is rejected."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.signed_urls import DOWNLOAD, EXPORT, UPLOAD, InvalidSignedUrl, SignedUrls
from domain import clock

SECRET = bytes(range(32))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."


def soon() -> dt.datetime:
    return clock.now() + dt.timedelta(minutes=5)


def test_a_signed_link_returns_its_claims():
    claims = {"file": 7, "viewer": "Dai Ŵ", "filter": None, "roles": ["ASSESSOR"]}
    text = SignedUrls(SECRET).sign(DOWNLOAD, claims, soon())
    assert SignedUrls(SECRET).verify(DOWNLOAD, text) == claims
    assert set(text) <= set(ALPHABET)


def test_a_link_expires_at_its_time(monkeypatch):
    signed_urls = SignedUrls(SECRET)
    at = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
    text = signed_urls.sign(DOWNLOAD, {"file": 7}, at)
    monkeypatch.setattr(clock, "now", lambda: at - dt.timedelta(microseconds=1))
    assert signed_urls.verify(DOWNLOAD, text) == {"file": 7}
    monkeypatch.setattr(clock, "now", lambda: at)
    with pytest.raises(InvalidSignedUrl) as raised:
        signed_urls.verify(DOWNLOAD, text)
    assert raised.value.expired


def test_every_changed_character_is_rejected():
    signed_urls = SignedUrls(SECRET)
    text = signed_urls.sign(DOWNLOAD, {"file": 7}, soon())
    for index, old in enumerate(text):
        for new in ALPHABET:
            if new != old:
                with pytest.raises(InvalidSignedUrl) as raised:
                    signed_urls.verify(DOWNLOAD, text[:index] + new + text[index + 1 :])
                assert not raised.value.expired


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-1],
        lambda t: t + "A",
        lambda t: t + "=",
        lambda t: t + ".",
        lambda t: " " + t,
        lambda t: t.split(".")[0],
        lambda t: t.split(".")[0] + ".",
        lambda t: "." + t.split(".")[1],
        lambda t: t.swapcase(),
        lambda t: t + "\n",
        lambda t: "",
        lambda t: "ŵ" + t,
        lambda t: "A" * 100_000,
    ],
)
def test_truncated_padded_and_foreign_texts_are_rejected(change):
    signed_urls = SignedUrls(SECRET)
    with pytest.raises(InvalidSignedUrl):
        signed_urls.verify(DOWNLOAD, change(signed_urls.sign(DOWNLOAD, {"file": 7}, soon())))


@given(st.text(max_size=80))
def test_arbitrary_text_raises_invalid_signed_url_only(text):
    with pytest.raises(InvalidSignedUrl):
        SignedUrls(SECRET).verify(DOWNLOAD, text)


def test_a_link_is_valid_for_its_purpose_only():
    signed_urls = SignedUrls(SECRET)
    text = signed_urls.sign(DOWNLOAD, {"file": 7}, soon())
    for purpose in (UPLOAD, EXPORT, "", "downloads"):
        with pytest.raises(InvalidSignedUrl):
            signed_urls.verify(purpose, text)


def test_an_expired_link_with_another_purpose_does_not_report_that_it_expired():
    signed_urls = SignedUrls(SECRET)
    text = signed_urls.sign(DOWNLOAD, {"file": 7}, clock.now() - dt.timedelta(days=1))
    with pytest.raises(InvalidSignedUrl) as raised:
        signed_urls.verify(UPLOAD, text)
    assert not raised.value.expired


def test_a_link_of_another_installation_is_rejected():
    text = SignedUrls(SECRET).sign(DOWNLOAD, {"file": 7}, soon())
    with pytest.raises(InvalidSignedUrl):
        SignedUrls(SECRET[::-1]).verify(DOWNLOAD, text)


def test_a_short_secret_is_rejected():
    with pytest.raises(ValueError, match="at least 32 bytes"):
        SignedUrls(b"short")

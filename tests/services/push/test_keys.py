"""The keys of the installation at push services: derived, the same everywhere, and one for each secret key."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from domain import clock
from services.push.encryption import from_base64url
from services.push.keys import PushKeys

OLD, NEW = {"old": b"o" * 32}, {"new": b"n" * 32}


def test_every_process_has_the_same_key_and_each_secret_another() -> None:
    assert PushKeys(OLD, "mailto:a@example.org").public_key == PushKeys(dict(OLD), "https://b.example").public_key
    assert PushKeys(OLD, "mailto:a@example.org").public_key != PushKeys(NEW, "mailto:a@example.org").public_key


def test_subscriptions_of_an_older_key_are_signed_with_it_until_it_is_removed() -> None:
    before, after = PushKeys(OLD, "mailto:a@example.org"), PushKeys(NEW | OLD, "mailto:a@example.org")
    assert after.newest == "new" and after.public_key != before.public_key
    header = after.authorization("old", "https://push.example.org", clock.now())
    assert header is not None and header.endswith(f"k={before.public_key}")
    token = header.removeprefix("vapid t=").partition(",")[0]
    key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), from_base64url(before.public_key))
    claims = jwt.decode(token, key, algorithms=["ES256"], audience="https://push.example.org")
    assert claims["sub"] == "mailto:a@example.org"
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, key, algorithms=["ES256"], audience="https://other.example.org")
    assert PushKeys(NEW, "mailto:a@example.org").authorization("old", "https://push.example.org", clock.now()) is None

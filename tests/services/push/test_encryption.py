"""The encryption of push messages: the example of RFC 8291, a browser's own reading, and keys that are none."""

import json

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from services.push.encryption import MAX_BYTES, browser_key, browser_secret, encrypt, from_base64url
from tests.support.push_service import Browser

# RFC 8291, appendix A.
TEXT = b"When I grow up, I want to be a watermelon"
P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
OWN = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_y"
    "l95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_the_standard() -> None:
    own = derive_private_key(int.from_bytes(from_base64url(OWN)), SECP256R1())
    assert encrypt(TEXT, P256DH, AUTH, own, from_base64url(SALT)) == from_base64url(BODY)


def test_a_browser_reads_it_and_no_other() -> None:
    browser, other = Browser("https://push.example.org/1"), Browser("https://push.example.org/2")
    text = json.dumps({"title": "3 documents to sign", "body": "Füchse"}).encode()
    keys = browser.input["p256dh"], browser.input["auth"]
    first, second = encrypt(text, *keys), encrypt(text, *keys)
    assert browser.decrypt(first) == browser.decrypt(second) == text
    # Neither the key nor the salt is used again.
    assert first[:86] != second[:86] and text not in first
    with pytest.raises(InvalidTag):
        other.decrypt(first)


def test_the_longest_text_fits_into_what_push_services_take() -> None:
    longest = MAX_BYTES - 103
    assert len(encrypt(b"a" * longest, P256DH, AUTH)) == MAX_BYTES
    with pytest.raises(ValueError, match="too long"):
        encrypt(b"a" * (longest + 1), P256DH, AUTH)


@pytest.mark.parametrize("text", ["", "AAAA", "é", "B" * 87, P256DH[:-2], "A" * 4000, f"{P256DH}AAAA", "B=A"])
def test_what_is_no_key_of_a_browser(text: str) -> None:
    with pytest.raises(ValueError):
        browser_key(text)
    with pytest.raises(ValueError):
        browser_secret(text)


def test_keys_may_be_padded() -> None:
    assert browser_key(f"{P256DH}=") == browser_key(P256DH)
    assert browser_secret(f"{AUTH}==") == browser_secret(AUTH)

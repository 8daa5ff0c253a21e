"""Passwords with the names of the product, the provider or the person, or a season with a year."""

import asyncio

import pytest

from auth.password_words import named_words
from auth.passwords import password_weakness, password_weakness_here

PERSON = ("j.lister@northgate.example", "Jay Lister-Àbara")
PROVIDER = "Northgate Training Ltd"

PRODUCT_NAME = ["waymark-demo", "three mile WAYMARK nine", "W4ym@rk and beyond", "way-mark-97-otters"]
OWN_NAME = [
    "lister under the oak", "two L1$TERS of ham", "the otters of jlister", "J A Y lister walks", "aBàrA under the oak",
    "4b4r4 under the oak", "j.l!5t3r under the oak", "Jay-under-the-oak", "otters 2026 jay", "under the oak jay7",
]  # fmt: skip
PROVIDER_NAME = ["northgate under the oak", "N0r7hg4te under the oak", "north gate under the oak"]
SEASON = [
    "Summer2026!", "2026 in the w1nter garden", "otters-Autumn-1999", "SPR1NG of 2027", "fall'26 otters", "Winter_25!x",
]  # fmt: skip
HARMLESS = [
    "a heron on the weir", "quiet rivers of the north", "the training of an otter", "summer of nine otters",
    "2026 otters swim", "a jaywalking otter", "way over the mark of", "winter 1234567 otters", "x7#Kq!v2Lm",
    "the lathe in hall four is green",
]  # fmt: skip
REASONS = [
    (PRODUCT_NAME, "this product"), (OWN_NAME, "your own name"), (PROVIDER_NAME, "training provider"),
    (SEASON, "season"),
]  # fmt: skip


@pytest.mark.parametrize(("passwords", "reason"), REASONS)
async def test_each_is_refused_with_its_reason(passwords: list[str], reason: str) -> None:
    for password in passwords:
        message = await password_weakness(password, *PERSON, provider=PROVIDER)
        assert message is not None and reason in message, password
        assert password_weakness_here(password, *PERSON, provider=PROVIDER) == message


async def test_no_message_repeats_the_password_or_a_name() -> None:
    for password in PRODUCT_NAME + OWN_NAME + PROVIDER_NAME + SEASON:
        message = named_words(password, PERSON, PROVIDER) or ""
        words = ("lister", "northgate", "waymark", "2026", password.lower())
        assert message and not [word for word in words if word in message.lower()]


async def test_harmless_words_are_not() -> None:
    found = await asyncio.gather(*(password_weakness(password, *PERSON, provider=PROVIDER) for password in HARMLESS))
    assert dict(zip(HARMLESS, found, strict=True)) == dict.fromkeys(HARMLESS)


@pytest.mark.parametrize("name", ["", "@", "Bo", "王", "Ltd", "' ' '", "Ng"])
def test_a_name_that_is_very_short_refuses_nothing(name: str) -> None:
    assert named_words("a heron on the weir", (name, name), name) is None

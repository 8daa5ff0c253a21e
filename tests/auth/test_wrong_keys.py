"""Wrong access keys are counted by network, for a minute."""

import pytest

from auth.wrong_keys import MAX_WRONG_KEYS, TooManyWrongKeys, WrongKeys


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_sixty_in_a_minute_from_one_network() -> None:
    clock = Clock()
    wrong = WrongKeys(clock)
    for _ in range(60):
        wrong.count("192.0.2.1")
    clock.seconds += 59
    for _ in range(3):
        with pytest.raises(TooManyWrongKeys) as raised:
            wrong.count("192.0.2.1")
        assert raised.value.retry_after == 1
    wrong.count("192.0.2.2")
    clock.seconds += 1
    wrong.count("192.0.2.1")


@pytest.mark.parametrize(
    ("address", "same", "other"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"),
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("nonsense", "", "192.0.2.1"),
    ],
)
def test_a_network_is_an_ipv4_address_or_a_slash_64(address: str, same: str, other: str) -> None:
    wrong = WrongKeys()
    for number in range(MAX_WRONG_KEYS):
        wrong.count((address, same)[number % 2])
    for each in (address, same):
        with pytest.raises(TooManyWrongKeys):
            wrong.count(each)
    wrong.count(other)


def test_networks_are_forgotten_after_their_minute() -> None:
    clock = Clock()
    wrong = WrongKeys(clock)
    for number in range(100):
        wrong.count(f"192.0.2.{number}")
        clock.seconds += 1
    assert len(wrong) == 60
    clock.seconds += 60
    wrong.count("192.0.2.200")
    assert len(wrong) == 1


def test_refused_keys_do_not_prolong_the_minute() -> None:
    clock = Clock()
    wrong = WrongKeys(clock)
    for _ in range(MAX_WRONG_KEYS):
        wrong.count("192.0.2.1")
    for _ in range(59):
        clock.seconds += 1
        with pytest.raises(TooManyWrongKeys):
            wrong.count("192.0.2.1")
    clock.seconds += 1
    wrong.count("192.0.2.1")

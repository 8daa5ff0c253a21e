"""The network by which a caller without a token is counted."""

import pytest

from domain.network import network_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("2001:DB8:1:2::1", "2001:db8:0001:0002::"),
        ("fe80::1%eth0", "fe80::2"),
        (None, ""),
        (None, "unix:/run/proxy"),
        ("999.1.1.1", "x" * 5_000),
    ],
)
def test_addresses_of_one_network(one: str | None, other: str | None) -> None:
    assert network_of(one) == network_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("192.0.2.1", "192.0.2.2"),
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
        # All of IPv4 is below one /64 of IPv6.
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("192.0.2.1", None),
    ],
)
def test_addresses_of_different_networks(one: str, other: str | None) -> None:
    assert network_of(one) != network_of(other)

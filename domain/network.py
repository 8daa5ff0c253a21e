"""The network of an address: what limits count a caller by who has not signed in."""

from ipaddress import IPv6Address, IPv6Network, ip_address


def network_of(address: str | None) -> str:
    """Returns an IPv4 address unchanged, and the /64 network of an IPv6 address, of which one customer has a whole one.

    An IPv4 address that is written as an IPv6 address (::ffff:192.0.2.1) is that IPv4 address. Everything that is not
    an address, such as a made-up X-Forwarded-For, is one network: "unknown".
    """
    try:
        parsed = ip_address((address or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((parsed, 64), strict=False))

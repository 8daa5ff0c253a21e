"""Addresses: the network of a caller, and whether an address is one of the internet."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# The addresses that are given out for the internet. Others are for one machine, a network or a protocol, such as those
# that once contained an IPv4 address (::127.0.0.1), or are no longer assigned (fec0::1).
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# They lead to the IPv4 address in their last 32 bits, from networks that have IPv6 alone (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")
# As do those with this before it, through a router of their network (ISATAP, RFC 5214).
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


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


def is_public(address: str) -> bool:
    """Returns whether an address is reached over the internet, also the IPv4 address that an IPv6 one leads to.

    Raises ValueError for what is no address.
    """
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv4Address):
        return parsed.is_global and not parsed.is_multicast
    number = int(parsed)
    last = IPv4Address(number & 0xFFFF_FFFF)
    if parsed.ipv4_mapped is not None or parsed in _NAT64:
        return is_public(str(last))
    if parsed not in _GLOBAL_UNICAST:
        return False
    if parsed.sixtofour is not None:
        return is_public(str(parsed.sixtofour))
    return parsed.is_global and (number >> 32 & 0xFFFF_FFFF not in _ISATAP or is_public(str(last)))

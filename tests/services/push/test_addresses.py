"""Where the server sends push messages: to allowed push services only, and never into a private network."""

import pytest

from domain.network import is_public
from services.push import client
from services.push.client import Outcome, PushClient, Result, public_addresses
from services.push.push_services import MAX_ENDPOINT_LENGTH, PushServices
from services.settings import SettingsError, read_settings
from tests.support.push_service import PushService


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def", "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
        "https://web.push.apple.com/QGuQ", "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%3d",
        "https://FCM.googleapis.com:443/x",
    ],
)  # fmt: skip
def test_the_well_known_push_services(endpoint: str) -> None:
    assert PushServices().has(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x", "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com", "https://user@fcm.googleapis.com/x",
        "https://fcm.googleapis.com@evil.example/x", "https://fcm.googleapis.com:8443/x",
        "https://evil.example#@fcm.googleapis.com/x", "https://evil.example\\@fcm.googleapis.com/",
        "https://127.0.0.1/x", "https://[::1]/x", "https://169.254.169.254/latest", "https://localhost/x",
        "https://a.b.notify.windows.com/x", "https://notify.windows.com/x", "https://fcm.googleapis.com/x#y",
        "https://fcm.googleapis.com/\nx", "", "https://", "javascript:alert(1)", "//fcm.googleapis.com/x",
        "https://fcm.googleapis.com:x/", "https://fcm.googlеapis.com/x", "https://fcm.googleapis.com./x",
        "https://fcm.googleapis.com/" + "x" * MAX_ENDPOINT_LENGTH,
    ],
)  # fmt: skip
def test_no_other_address(endpoint: str) -> None:
    assert not PushServices().has(endpoint)


def test_operators_choose_others() -> None:
    chosen = read_settings({"WAYMARK_PUSH_SERVICES": "push.example.org:8443, *.push.example.net"}).push_services
    services = PushServices(chosen)
    assert services.has("https://push.example.org:8443/x") and services.has("https://a.push.example.net/x")
    assert not services.has("https://push.example.org/x") and not services.has("https://fcm.googleapis.com/x")
    assert PushServices(read_settings({"WAYMARK_PUSH_SERVICES": "off"}).push_services).is_empty
    for wrong in ("https://push.example.org", "*", "push", "*.example.org/x"):
        with pytest.raises(SettingsError, match="WAYMARK_PUSH_SERVICES: set hosts"):
            read_settings({"WAYMARK_PUSH_SERVICES": wrong})


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True), ("2607:f8b0:4004::1", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("172.16.0.1", False), ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False),
        ("0.0.0.0", False), ("::1", False), ("fe80::1%eth0", False), ("fd00::1", False), ("::ffff:10.0.0.1", False),
        ("2002:a00:1::", False), ("224.0.0.1", False), ("::", False), ("192.0.2.1", False), ("64:ff9b::a00:1", False),
        # Other ways to write, or to reach, an IPv4 address.
        ("::127.0.0.1", False), ("::10.0.0.1", False), ("::8.8.8.8", False), ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True), ("::ffff:0:127.0.0.1", False), ("64:ff9b::127.0.0.1", False),
        ("64:ff9b::8.8.8.8", True), ("64:ff9b:1::127.0.0.1", False), ("2002:7f00:1::", False),
        ("2002:c0a8:101::1", False), ("2002:808:808::1", True), ("2001:0:808:808::7f00:1", False),
        ("2607:f8b0:4004::5efe:10.0.0.1", False), ("2607:f8b0:4004::200:5efe:127.0.0.1", False),
        ("2607:f8b0:4004::5efe:8.8.8.8", True),
        # Those of one site, as fd00::/8 are today, and of nobody.
        ("fec0::1", False), ("5f00::1", False), ("4000::1", False), ("ff0e::1", False), ("::ffff:224.0.0.1", False),
    ],
)  # fmt: skip
def test_private_addresses(address: str, expected: bool) -> None:
    assert is_public(address) is expected


async def test_a_name_that_leads_into_a_private_network_is_not_sent_to() -> None:
    """As a name that changes its address after it was checked would be."""
    async with PushService() as push:
        browser = push.browser()
        assert await PushClient(public_addresses).send("https://localhost/x", b"", {}) == Outcome(
            Result.REFUSED, "a private address"
        )
        endpoint = browser.endpoint.replace("push.example.org", "127.0.0.1")
        assert (await PushClient().send(endpoint, b"", {})).result is Result.REFUSED
        assert push.requests == 0


async def test_a_server_without_the_certificate_of_the_name_gets_nothing() -> None:
    async with PushService() as push:

        async def resolve(host: str, port: int) -> list[str]:
            return ["127.0.0.1"]

        assert (await PushClient(resolve).send(push.browser().endpoint, b"", {})).result is Result.LATER
        trusting = PushClient(resolve, push.client._verify)
        other = push.browser().endpoint.replace("push.example.org", "other.example.org")
        assert (await trusting.send(other, b"", {})).result is Result.LATER
        assert push.requests == 0
        await trusting.close()


async def test_a_push_service_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "SECONDS", 0.05)
    async with PushService() as push:

        async def resolve(host: str, port: int) -> list[str]:
            # A network in which packets are lost.
            return ["240.0.0.1"]

        outcome = await PushClient(resolve, push.client._verify).send(push.browser().endpoint, b"", {})
        assert outcome.result is Result.LATER

"""A push service over HTTPS and the browsers that it serves, as RFC 8030, 8291 and 8292 describe them."""

import asyncio
import datetime as dt
import json
import secrets
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from services.push.client import PushClient
from services.push.encryption import base64url, from_base64url

HOST = "push.example.org"


@dataclass
class Browser:
    """A browser with a push subscription: its keys, and what its service worker was sent."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    arrived: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def input(self) -> dict[str, str]:
        """The variables of pushSubscriptionAdd."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.endpoint, "p256dh": base64url(point), "auth": base64url(self.secret)}

    def decrypt(self, body: bytes) -> bytes:
        """Returns the text of a message, as a browser reads it (RFC 8291, section 3.4)."""
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        own = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))

        def derive(secret: bytes, salt: bytes, info: bytes, bytes_: int) -> bytes:
            return HKDF(SHA256(), bytes_, salt, info).derive(secret)

        secret = derive(shared, self.secret, b"WebPush: info\x00" + own + theirs, 32)
        key = derive(secret, salt, b"Content-Encoding: aes128gcm\x00", 16)
        nonce = derive(secret, salt, b"Content-Encoding: nonce\x00", 12)
        text = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\x00")
        assert text[-1:] == b"\x02"
        return text[:-1]


class PushService:
    """`async with PushService() as push`: `push.browser()` subscribes one.

    `push.answers` are the statuses and headers of the next requests, in place of its own. It refuses a request without
    a valid token of the server's key. `push.client` sends to it, although its address is that of this machine.
    """

    def __init__(self) -> None:
        self.browsers: dict[str, Browser] = {}
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.requests = 0
        # The only key whose messages it takes, if it is set.
        self.public_key: str | None = None

    async def __aenter__(self) -> "PushService":
        key, certificate = _certificate(HOST)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "both.pem"
            path.write_bytes(key + certificate)
            context.load_cert_chain(path)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.host = f"{HOST}:{self._server.sockets[0].getsockname()[1]}"
        trusting = ssl.create_default_context(cadata=certificate.decode())
        self.client = PushClient(self._resolve, trusting)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()
        self._server.close()

    def browser(self) -> Browser:
        """Subscribes a browser."""
        path = f"/send/{secrets.token_urlsafe(12)}"
        self.browsers[path] = made = Browser(f"https://{self.host}{path}")
        return made

    async def _resolve(self, host: str, port: int) -> list[str]:
        assert host == HOST
        return ["127.0.0.1"]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, path, _ = head[0].split(" ")
                headers = {
                    name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers["content-length"]))
                self.requests += 1
                status, more = self._answer(method, path, headers, body)
                lines = [f"HTTP/1.1 {status} Done", "content-length: 0", *(f"{k}: {v}" for k, v in more.items())]
                writer.write("\r\n".join([*lines, "", ""]).encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        assert method == "POST" and headers["content-encoding"] == "aes128gcm" and headers["host"] == self.host
        if self.answers:
            return self.answers.pop(0)
        browser = self.browsers.get(path)
        if browser is None:
            return 410, {}
        if not self._is_authorized(headers["authorization"]):
            return 403, {}
        # A push service sees no text; the browser decrypts it.
        browser.arrived.append(json.loads(browser.decrypt(body)))
        browser.headers = headers
        return 201, {"location": f"https://{self.host}/message/1"}

    def _is_authorized(self, authorization: str) -> bool:
        scheme, _, rest = authorization.partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        point = from_base64url(parts["k"])
        claims = jwt.decode(
            parts["t"], ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point), algorithms=["ES256"],
            audience=f"https://{self.host}", options={"require": ["exp", "aud", "sub"]},
        )  # fmt: skip
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(hours=24)
        is_right = claims["exp"] <= soon.timestamp() and claims["sub"].startswith(("mailto:", "https://"))
        return scheme == "vapid" and is_right and self.public_key in (None, parts["k"])


def _certificate(host: str) -> tuple[bytes, bytes]:
    """Returns the key and the certificate of a host, which trusts itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, made.public_bytes(Encoding.PEM)

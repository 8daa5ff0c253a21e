"""An OpenID provider on a real socket, made with Authlib, which can also misbehave.

    async with OpenIdProvider(redirect_uri) as provider:
        provider.person = {"sub": "1", "email": "ana@hill.example", "email_verified": True}

It has no page: everybody who opens its authorization endpoint is signed in as `person`.
"""

import asyncio
import base64
import hmac
import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import uvicorn
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.openid_grants import Client, CodeGrant, IdTokens, Request, Server

Claims = dict[str, Any]


class OpenIdProvider:
    """The provider, and what it does wrong."""

    def __init__(self, redirect_uri: str) -> None:
        self.client = Client("waymark-client", secrets.token_urlsafe(24), redirect_uri)
        self.person: Claims = {}
        self.keys = [_new_key()]
        # What it does wrong: changed claims, another algorithm, a path that is slow, huge or leads elsewhere.
        self.change: Callable[[Claims], Claims | None] = lambda claims: claims
        self.algorithm = "RS256"
        self.only_in_user_info: tuple[str, ...] = ()
        self.wrong: dict[str, Response | float | None] = {}
        self.requests: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.issuer = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.server = Server(self.client)
        self.server.register_grant(CodeGrant, [IdTokens(self), CodeChallenge(required=True)])
        self.server.register_token_generator("default", lambda **given: _bearer(given["scope"]))
        app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
                Route("/userinfo", self._user_info),
            ]
        )
        self._uvicorn = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))

    async def __aenter__(self) -> Self:
        self._uvicorn.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._task = asyncio.create_task(self._uvicorn.serve(sockets=[self._listener]))
        while not self._uvicorn.started:
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._uvicorn.should_exit = self._uvicorn.force_exit = True
        await self._task

    def rotate_keys(self) -> None:
        """Replaces the keys, as an identity provider does now and then."""
        self.keys = [_new_key()]

    def behave(self) -> None:
        """Does nothing wrong any more."""
        self.change, self.algorithm, self.only_in_user_info, self.wrong = lambda claims: claims, "RS256", (), {}

    def forge(self, token: str) -> str:
        """Returns an ID token with changed claims, or signed in another way."""
        key: Any = self.keys[-1]
        claims = jwt.decode(token, key).claims
        claims = self.change(claims) or claims
        header = {"alg": self.algorithm, "kid": key.kid}
        if self.algorithm == "HS256":
            return _signed_with_public_key(header, claims, key.as_pem(private=False))
        if self.algorithm == "another key":
            header["alg"], key = "RS256", _new_key()
        registry = JWSRegistry(algorithms=["RS256", "none"])
        return jwt.encode(header, claims, key, registry=registry)

    async def _answer(self, path: str, respond: Callable[[], Response]) -> Response:
        """Returns the right answer, unless it does something wrong at this path."""
        self.requests.append(path)
        wrong = self.wrong.get(path)
        if isinstance(wrong, Response) and wrong is not DRIPPING:
            return wrong
        if isinstance(wrong, float):
            await asyncio.sleep(wrong)
        right = respond()
        return StreamingResponse(_drops(right.body), media_type="application/json") if wrong is DRIPPING else right

    async def _discovery(self, _: HttpRequest) -> Response:
        document = {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo", "response_types_supported": ["code"],
            "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": list(self.client.methods),
            "code_challenge_methods_supported": ["S256"],
        }  # fmt: skip
        # Authlib's own check of such a document; it asks for https.
        OpenIDProviderMetadata(json.loads(json.dumps(document).replace("http:", "https:"))).validate()
        return await self._answer("discovery", lambda: JSONResponse(document))

    async def _authorize(self, request: HttpRequest) -> Response:
        asked = Request("GET", "/authorize", dict(request.query_params), request.headers)
        grant = self.server.get_consent_grant(asked)
        return self.server.create_authorization_response(asked, self.person, grant)

    async def _token(self, request: HttpRequest) -> Response:
        fields = {name: str(value) for name, value in (await request.form()).items()}
        asked = Request("POST", "/token", fields, request.headers)
        return await self._answer("token", lambda: self.server.create_token_response(asked))

    async def _keys(self, _: HttpRequest) -> Response:
        return await self._answer("keys", lambda: JSONResponse(KeySet(list(self.keys)).as_dict(private=False)))

    async def _user_info(self, request: HttpRequest) -> Response:
        person = self.server.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        status = 401 if person is None else 200
        return await self._answer("userinfo", lambda: JSONResponse(person or {"error": "invalid_token"}, status))


HUGE = PlainTextResponse('{"keys": [' + " " * 1_000_000 + "]}", media_type="application/json")


# The right answer, piece by piece, without a long pause.
DRIPPING = Response()


async def _drops(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), len(body) // 10 + 1):
        yield body[start : start + len(body) // 10 + 1]
        await asyncio.sleep(0.1)


def elsewhere(url: str) -> Response:
    """Returns an answer that leads to another address."""
    return RedirectResponse(url, 302)


def _new_key() -> RSAKey:
    return RSAKey.generate_key(2048, auto_kid=True)


def _signed_with_public_key(header: Claims, claims: Claims, secret: bytes) -> str:
    # By hand: no library does this.
    text = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{_encoded(hmac.digest(secret, text.encode(), 'sha256'))}"


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bearer(scope: str) -> dict[str, Any]:
    return {"token_type": "Bearer", "access_token": secrets.token_urlsafe(24), "expires_in": 300, "scope": scope}

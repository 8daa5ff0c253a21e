"""The process of OpenID providers, made with Authlib, which can misbehave: `python -m tests.support.openid_process`.

It prints its port, and ends when its standard input does. Each provider is below a number (http://127.0.0.1:PORT/1).
It has no page: everybody who opens its authorization endpoint is signed in as `person`. `OpenIdProvider`, in
`tests/support/openid_provider.py`, makes and directs them, under /control.
"""

import asyncio
import base64
import hmac
import json
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

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
from tests.support.openid_provider import DRIPPING, HUGE, Claims

_DIRECTED = {"person", "changed_claims", "algorithm", "only_in_user_info", "wrong"}


class Provider:
    """A provider, and what it does wrong."""

    def __init__(self, issuer: str, redirect_uri: str) -> None:
        self.issuer = issuer
        self.client = Client("waymark-client", secrets.token_urlsafe(24), redirect_uri)
        self.person: Claims = {}
        self.keys = [_new_key()]
        self.changed_claims: Claims = {}
        self.algorithm = "RS256"
        self.only_in_user_info: list[str] = []
        self.wrong: dict[str, Any] = {}
        self.requests: list[str] = []
        self.server = Server(self.client)
        self.server.register_grant(CodeGrant, [IdTokens(self), CodeChallenge(required=True)])
        self.server.register_token_generator("default", lambda **given: _bearer(given["scope"]))

    def forge(self, token: str) -> str:
        """Returns an ID token with changed claims, or signed in another way."""
        key: Any = self.keys[-1]
        claims = jwt.decode(token, key).claims
        for name, value in self.changed_claims.items():
            claims[name] = claims["iat"] + value["iat"] if isinstance(value, dict) else value
        claims = {name: value for name, value in claims.items() if value is not None}
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
        if wrong == HUGE:
            return PlainTextResponse('{"keys": [' + " " * 1_000_000 + "]}", media_type="application/json")
        if isinstance(wrong, dict):
            return RedirectResponse(wrong["location"], 302)
        if isinstance(wrong, float | int):
            await asyncio.sleep(wrong)
        right = respond()
        return StreamingResponse(_drops(right.body), media_type="application/json") if wrong == DRIPPING else right

    async def discovery(self, _: HttpRequest) -> Response:
        """The metadata."""
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

    async def authorize(self, request: HttpRequest) -> Response:
        """Signs the person in, and sends the browser back with a code."""
        asked = Request("GET", "/authorize", dict(request.query_params), request.headers)
        grant = self.server.get_consent_grant(asked)
        return self.server.create_authorization_response(asked, self.person, grant)

    async def token(self, request: HttpRequest) -> Response:
        """Takes a code for an ID token and an access token."""
        fields = {name: str(value) for name, value in (await request.form()).items()}
        asked = Request("POST", "/token", fields, request.headers)
        return await self._answer("token", lambda: self.server.create_token_response(asked))

    async def published_keys(self, _: HttpRequest) -> Response:
        """The public keys."""
        return await self._answer("keys", lambda: JSONResponse(KeySet(list(self.keys)).as_dict(private=False)))

    async def user_info(self, request: HttpRequest) -> Response:
        """The claims of the person of an access token."""
        person = self.server.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        status = 401 if person is None else 200
        return await self._answer("userinfo", lambda: JSONResponse(person or {"error": "invalid_token"}, status))


class Providers:
    """The providers of the process, and how they are directed."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.count = 0
        self.by_number: dict[int, Provider] = {}

    def app(self) -> Starlette:
        """Returns the application."""
        at_provider = {
            "/.well-known/openid-configuration": (Provider.discovery, "GET"), "/authorize": (Provider.authorize, "GET"),
            "/token": (Provider.token, "POST"), "/keys": (Provider.published_keys, "GET"),
            "/userinfo": (Provider.user_info, "GET"),
        }  # fmt: skip
        routes = [
            Route(f"/{{number:int}}{path}", self._of(handler), methods=[method])
            for path, (handler, method) in at_provider.items()
        ]
        directing = {"": (self._direct, "PATCH"), "/keys": (self._rotate, "POST"), "/forget": (self._forget, "POST")}
        routes += [
            Route("/control/{number:int}" + path, handler, methods=[method])
            for path, (handler, method) in directing.items()
        ]
        routes.append(Route("/control/{number:int}", self._requests, methods=["GET"]))
        routes.append(Route("/control/{number:int}", self._end, methods=["DELETE"]))
        return Starlette(routes=[*routes, Route("/control", self._add, methods=["POST"])])

    def _of(self, handler: Callable[[Provider, HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
        async def respond(request: HttpRequest) -> Response:
            answer: Response = await handler(self._provider(request), request)
            return answer

        return respond

    def _provider(self, request: HttpRequest) -> Provider:
        return self.by_number[request.path_params["number"]]

    async def _add(self, request: HttpRequest) -> Response:
        self.count += 1
        made = Provider(f"{self.address}/{self.count}", (await request.json())["redirect_uri"])
        self.by_number[self.count] = made
        identity = {"issuer": made.issuer, "client_id": made.client.client_id, "secret": made.client.secret}
        return JSONResponse({"number": self.count, **identity})

    async def _direct(self, request: HttpRequest) -> Response:
        state = await request.json()
        assert state.keys() <= _DIRECTED, state
        for name, value in state.items():
            setattr(self._provider(request), name, value)
        return JSONResponse(None)

    async def _rotate(self, request: HttpRequest) -> Response:
        self._provider(request).keys = [_new_key()]
        return JSONResponse(None)

    async def _requests(self, request: HttpRequest) -> Response:
        return JSONResponse(self._provider(request).requests)

    async def _forget(self, request: HttpRequest) -> Response:
        self._provider(request).requests.clear()
        return JSONResponse(None)

    async def _end(self, request: HttpRequest) -> Response:
        del self.by_number[request.path_params["number"]]
        return JSONResponse(None)


async def _drops(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), len(body) // 10 + 1):
        yield body[start : start + len(body) // 10 + 1]
        await asyncio.sleep(0.1)


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


async def main() -> None:
    """Serves until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = Providers(f"http://127.0.0.1:{port}").app()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = server.force_exit = True
    await serving


if __name__ == "__main__":
    asyncio.run(main())

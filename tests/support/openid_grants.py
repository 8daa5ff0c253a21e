"""The parts of an OpenID provider that Authlib asks its users for: a client, codes that are kept, claims."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.models import ClientMixin
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oidc.core.grants import OpenIDCode
from starlette.responses import JSONResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from tests.support.openid_process import Provider


class Request(OAuth2Request):
    """A request as Authlib reads it."""

    def __init__(self, method: str, path: str, fields: dict[str, str], headers: Any) -> None:
        # Authlib asks for https, which the sockets of a test do not have.
        super().__init__(
            method, f"https://provider.example{path}", headers={"Authorization": headers.get("authorization")}
        )
        self.payload = BasicOAuth2Payload(fields)
        self.fields = fields

    @property
    def form(self) -> dict[str, str]:
        return self.fields

    @property
    def args(self) -> dict[str, str]:
        return self.fields


@dataclass
class Client(ClientMixin):
    """The one client: a Waymark installation."""

    client_id: str
    secret: str
    redirect_uri: str
    methods: tuple[str, ...] = ("client_secret_basic",)

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in self.methods

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code:
    """An authorization code that was given out."""

    code: str
    fields: dict[str, str]
    claims: dict[str, Any]

    # The names are those that Authlib's PKCE reads.
    @property
    def code_challenge(self) -> str | None:
        return self.fields.get("code_challenge")

    @property
    def code_challenge_method(self) -> str | None:
        return self.fields.get("code_challenge_method")

    def get_redirect_uri(self) -> str | None:
        return self.fields.get("redirect_uri")

    def get_scope(self) -> str:
        return self.fields.get("scope", "")

    def get_nonce(self) -> str | None:
        return self.fields.get("nonce")

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class CodeGrant(AuthorizationCodeGrant):
    """Gives out codes, and takes each once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")
    server: "Server"

    def save_authorization_code(self, code: str, request: Request) -> None:
        self.server.codes[code] = Code(code, request.fields, request.user)

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return self.server.codes.get(code)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        del self.server.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
        return authorization_code.claims


class IdTokens(OpenIDCode):
    """Makes ID tokens: the claims of the person, changed and signed as the provider says."""

    def __init__(self, provider: "Provider") -> None:
        super().__init__(require_nonce=True)
        self.provider = provider

    def exists_nonce(self, nonce: str, request: Request) -> bool:
        return False

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self.provider.issuer, "aud": [client.client_id]}

    def resolve_client_private_key(self, client: Client) -> Any:
        return self.provider.keys[-1]

    def get_encode_header(self, client: Client) -> dict[str, Any]:
        return {"alg": "RS256", "kid": self.provider.keys[-1].kid}

    def generate_user_info(self, user: dict[str, Any], scope: str) -> dict[str, Any]:
        return {name: value for name, value in user.items() if name not in self.provider.only_in_user_info}

    def encode_id_token(self, token: dict[str, Any], request: Request) -> str:
        return self.provider.forge(super().encode_id_token(token, request))


class Server(AuthorizationServer):
    """Authlib's server, for Starlette's responses."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self.client = client
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, dict[str, Any]] = {}

    def query_client(self, client_id: str) -> Client | None:
        return self.client if client_id == self.client.client_id else None

    def save_token(self, token: dict[str, Any], request: Request) -> None:
        self.tokens[token["access_token"]] = request.user

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        pass

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        if status == 302:
            return RedirectResponse(dict(headers)["Location"], 302)
        return JSONResponse(body, status)

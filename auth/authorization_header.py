"""Reads the viewer of a request from its Authorization header."""

from auth.access_keys import authenticate_key, secret_in
from auth.tokens import AccessClaims, AccessTokens, InvalidToken
from auth.viewer import NotSignedIn, Viewer, read_viewer
from db.database import Database


async def authenticate(database: Database, tokens: AccessTokens, header: str) -> tuple[AccessClaims | None, Viewer]:
    """The viewer of an access token, with its claims, or of an access key, without any. Raises NotSignedIn."""
    if (secret := secret_in(header)) is not None:
        return None, await authenticate_key(database, secret)
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise NotSignedIn("Send the access token as `Authorization: Bearer …`.")
    try:
        claims = tokens.verify(token.strip())
    except InvalidToken:
        raise NotSignedIn from None
    return claims, await read_viewer(database, claims)

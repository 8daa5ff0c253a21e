"""Reads the viewer of a request from its Authorization header."""

from auth.tokens import AccessClaims, AccessTokens, InvalidToken
from auth.viewer import NotSignedIn, Viewer, read_viewer
from db.database import Database


async def authenticate(database: Database, tokens: AccessTokens, header: str) -> tuple[AccessClaims, Viewer]:
    """The claims of a bearer token and the viewer behind them. Raises NotSignedIn."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise NotSignedIn("Send the access token as `Authorization: Bearer …`.")
    try:
        claims = tokens.verify(token.strip())
    except InvalidToken:
        raise NotSignedIn from None
    return claims, await read_viewer(database, claims)

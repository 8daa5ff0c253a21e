"""Reads the viewer of a request from its Authorization header."""

from auth.access_keys import authenticate_key, secret_in
from auth.tokens import AccessClaims, AccessTokens, InvalidToken
from auth.viewer import NotSignedIn, Viewer, read_viewer
from auth.wrong_keys import WrongKeys
from db.database import Database


class Authenticator:
    """Finds who sends a request. Wrong access keys are counted by the network of the client's address."""

    def __init__(self, database: Database, tokens: AccessTokens) -> None:
        self._database = database
        self._tokens = tokens
        self._wrong_keys = WrongKeys()

    async def authenticate(self, header: str, address: str | None) -> tuple[AccessClaims | None, Viewer]:
        """The viewer of an access token, with its claims, or of an access key, without any.

        Raises NotSignedIn, for wrong keys beyond the limit of the network its subclass TooManyWrongKeys.
        """
        if (secret := secret_in(header)) is not None:
            try:
                return None, await authenticate_key(self._database, secret)
            except NotSignedIn:
                self._wrong_keys.count(address)
                raise
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedIn("Send the access token as `Authorization: Bearer …`.")
        try:
            claims = self._tokens.verify(token.strip())
        except InvalidToken:
            raise NotSignedIn from None
        return claims, await read_viewer(self._database, claims)

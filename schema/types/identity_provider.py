"""Identity providers: where people can sign in besides with a password."""

import strawberry

from resolvers.authentication import identity_provider
from schema.field_builders import attribute, resolved


@strawberry.type(
    description="A service where people of one training provider can sign in besides with a password, such as the "
    "accounts of a college (OpenID Connect)."
)
class IdentityProvider:
    id: strawberry.ID = attribute("The id, for `loginWithProvider`.")
    name: str = attribute("What its users call it, for the button that opens it.")
    authorization_url: str = attribute(
        "The address that begins a new sign-in, valid for 30 minutes. Append `&redirect_uri=` with the address of your "
        "client, which the operator has registered, and `&code_challenge=` with the S256 challenge of a new code "
        "verifier (PKCE). It already has a `state`: keep it, and compare it with the `state` with which the person "
        "comes back."
    )


@strawberry.type
class IdentityProviderQueries:
    identity_providers: list[IdentityProvider] = resolved(
        "The identity providers of this installation, by name. Needs no viewer. Read it when a sign-in begins.",
        lambda root, info: identity_provider.identity_providers(info.context),
        anonymous=True,
    )

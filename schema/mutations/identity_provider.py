"""The mutation that signs people in through an identity provider."""

import strawberry

from resolvers.authentication import identity_provider
from schema.enums import Role
from schema.field_builders import attribute
from schema.mutations.authentication import TokenPayload
from schema.payload import mutation, required


@strawberry.input(description="What a client has when a person comes back from an identity provider.")
class ProviderLoginInput:
    provider_id: strawberry.ID = attribute("The id of the identity provider.")
    code: str = attribute("The authorization code with which the person came back.")
    state: str = attribute("The state with which they came back; it must be the one of `authorizationUrl`.")
    code_verifier: str = attribute("The code verifier whose challenge was sent (PKCE): 43 to 128 characters.")
    redirect_uri: str = attribute("The address of the client to which they came back, exactly as it was sent.")
    role: Role | None = strawberry.field(
        default=None,
        description="The role to act in, for a user who has several; by default the one with the most permissions.",
    )
    second_factor_code: str | None = strawberry.field(
        default=None,
        description="The second factor, for a user who has one here: a code of the authenticator app, or a recovery "
        "code. Needed unless the identity provider has checked a second factor that the operator trusts.",
    )


@strawberry.type
class IdentityProviderMutations:
    login_with_provider = mutation(
        TokenPayload,
        identity_provider.login_with_provider,
        "Signs in a person who comes back from an identity provider. It finds the account that is linked to them, or, "
        "the first time, the one with the e-mail address that the identity provider has verified; it never makes one. "
        "With an error for the role or the second factor, send it again with another within 10 minutes.",
        anonymous=True,
        input=required(ProviderLoginInput, "What the person came back with."),
    )

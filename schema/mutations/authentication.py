"""Mutations of the viewer's own account: login, roles, password and disclaimer."""

import strawberry

from resolvers.authentication import disclaimer, password
from resolvers.authentication import login as authentication
from resolvers.authentication.login import TrainingProviderRequired
from resolvers.authentication.reset_request import reset_request
from resolvers.authentication.second_factor import SecondFactorRequired
from schema.enums import Role
from schema.field_builders import attribute
from schema.payload import mutation, payload, required, result, signed_in
from schema.types.viewer import Viewer


@strawberry.input(description="The credentials of a user.")
class LoginInput:
    username: str = attribute("The username from the welcome e-mail, in upper or lower case.")
    password: str = attribute("The password.")
    role: Role | None = strawberry.field(
        default=None,
        description="The role to act in, for a user who has several; by default the one with the most permissions.",
    )
    device_token: str | None = strawberry.field(
        default=None,
        description="The device token of an earlier login of this user on this device. With it, wrong passwords from "
        "elsewhere do not lock the user out here.",
    )
    code: str | None = strawberry.field(
        default=None,
        description="The second factor, for a user who has one: a code of the authenticator app, or a recovery code.",
    )
    training_provider: str | None = strawberry.field(
        default=None,
        description="One of `trainingProviders` of the payload, for a user with accounts at several training providers "
        "whose passwords are the same.",
    )


@strawberry.input(description="A change of the viewer's own password.")
class PasswordChangeInput:
    current_password: str = attribute("The current password.")
    new_password: str = attribute(
        "The new password: at least 8 characters, not easily guessed, and without the names of the user, of their "
        "training provider or of this product, or a season with a year."
    )


@strawberry.input(description="A new password, set with the link from an e-mail.")
class PasswordResetInput:
    token: str = attribute("The token from the link, valid once.")
    new_password: str = attribute(
        "The new password: at least 8 characters, not easily guessed, and without the names of the user, of their "
        "training provider or of this product, or a season with a year."
    )


@payload("The tokens of the signed-in user.")
class TokenPayload:
    access_token: str | None = result(
        "The access token, valid for 15 minutes. Send it as `Authorization: Bearer …`.", part="access_token"
    )
    refresh_token: str | None = result(
        "The refresh token, valid for one `tokenRefresh` within 14 days.", part="refresh_token"
    )
    device_token: str | None = result(
        "Of a login: keep it on this device, also after a logout, and send it with the next login. It opens nothing.",
        part="device_token",
    )
    second_factor_required: bool = result(
        "Whether the password was right and a code of the second factor is needed: send `login` again with `code`. "
        "After `passwordReset`: the password is set, and the user signs in with it and a code.",
        part="second_factor_required",
        on_error=lambda error: isinstance(error, SecondFactorRequired),
    )
    training_providers: list[str] = result(
        "Of a login whose username and password are right at several training providers: their names, by one of which "
        "`login` has to be sent again. Empty otherwise.",
        make=lambda context, tokens: [],
        on_error=lambda error: error.names if isinstance(error, TrainingProviderRequired) else [],
    )
    viewer: Viewer | None = signed_in("The signed-in user.")


@payload("The result of a logout.", signs_out=True)
class LogoutPayload:
    pass


@payload(
    "The result of a request for a new password. It is the same whether or not the account exists.", signs_out=True
)
class PasswordResetRequestPayload:
    pass


@payload("The result of a change of the viewer.")
class ViewerPayload:
    viewer: Viewer | None = signed_in("The viewer after the change.")


@strawberry.type
class AuthenticationMutations:
    login = mutation(
        TokenPayload,
        authentication.login,
        "Signs in. An unknown username and a wrong password give the same error.",
        anonymous=True,
        input=required(LoginInput, "The credentials."),
    )
    token_refresh = mutation(
        TokenPayload,
        authentication.token_refresh,
        "Exchanges a refresh token for new tokens. Each can be used once. The client that did so gets the same answer "
        "again for 30 seconds, in case the first was lost; any other second use signs the user out.",
        anonymous=True,
        refresh_token=required(str, "The refresh token from the last `TokenPayload`."),
    )
    logout = mutation(
        LogoutPayload,
        authentication.logout,
        "Signs out: the tokens and subscriptions of this login end.",
        anonymous=True,
        refresh_token=required(str, "The refresh token from the last `TokenPayload`."),
    )
    role_switch = mutation(
        TokenPayload,
        authentication.role_switch,
        "Continues this login in another role of the same user, until the same end as before. The previous tokens end. "
        "Needs the refresh token or the password: an access token alone is not enough.",
        role=required(Role, "The role to act in, other than the current one."),
        refresh_token=required(str | None, "The unused refresh token of this login, from the last `TokenPayload`."),
        password=required(str | None, "The user's password, for a client that does not have the refresh token."),
    )
    password_change = mutation(
        TokenPayload,
        password.change,
        "Changes the viewer's own password, and signs them out everywhere else.",
        input=required(PasswordChangeInput, "The current and the new password."),
    )
    password_reset_request = mutation(
        PasswordResetRequestPayload,
        reset_request,
        "Sends an e-mail with a link to set a new password, if the account exists.",
        anonymous=True,
        username=required(str, "The username."),
    )
    password_reset = mutation(
        TokenPayload,
        password.reset,
        "Sets a new password with the token from a link, and signs the user in.",
        anonymous=True,
        input=required(PasswordResetInput, "The token and the new password."),
    )
    disclaimer_accept = mutation(
        ViewerPayload, disclaimer.accept, "Accepts the provider's current disclaimer, which is `viewer.disclaimer`."
    )

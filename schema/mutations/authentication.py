"""Mutations of signing in: who one is, and in which role."""

import strawberry

from resolvers import authentication
from resolvers import password as passwords
from schema.enums import Role
from schema.field_builders import attribute
from schema.payload import mutation, payload, required, result, signed_in
from schema.types.viewer import Viewer


@strawberry.input(description="Who signs in.")
class LoginInput:
    username: str = attribute("The username from the welcome e-mail, in any case.")
    password: str = attribute("The password.")
    role: Role | None = strawberry.field(
        default=None,
        description="Which role to act as, for a login that holds several; the most far-reaching where left out.",
    )


@strawberry.input(description="A change of one's own password.")
class PasswordChangeInput:
    current_password: str = attribute("The password so far.")
    new_password: str = attribute("The new one: at least 8 characters, and not easily guessed.")


@strawberry.input(description="A new password, with the link from an e-mail.")
class PasswordResetInput:
    token: str = attribute("The token in the link, good for once.")
    new_password: str = attribute("The new password: at least 8 characters, and not easily guessed.")


@payload("Tokens of the person who has signed in.")
class TokenPayload:
    access_token: str | None = result(
        "Signed and valid for 15 minutes; sent as `Authorization: Bearer …`.", part="access_token"
    )
    refresh_token: str | None = result("Valid for one refresh, within 14 days.", part="refresh_token")
    viewer: Viewer | None = signed_in("Who is signed in now.")


@payload("Whether signing out went well.")
class LogoutPayload:
    pass


@payload("Whether the request was accepted; it says nothing about whether there is such an account.")
class PasswordResetRequestPayload:
    pass


@payload("The viewer, changed.")
class ViewerPayload:
    viewer: Viewer | None = signed_in("The viewer as they now are.")


@strawberry.type
class AuthenticationMutations:
    login = mutation(
        TokenPayload,
        authentication.login,
        "Signs in. A wrong name and a wrong password have the same answer.",
        input=required(LoginInput, "Who signs in."),
    )
    token_refresh = mutation(
        TokenPayload,
        authentication.token_refresh,
        "New tokens for a refresh token, which is used up; using one twice ends the sign-in.",
        refresh_token=required(str, "From the last TokenPayload."),
    )
    logout = mutation(
        LogoutPayload,
        authentication.logout,
        "Signs out: ends every token and stream of this sign-in.",
        refresh_token=required(str, "From the last TokenPayload."),
    )
    role_switch = mutation(
        TokenPayload,
        authentication.role_switch,
        "Continues in another role that the login holds; the tokens so far end.",
        role=required(Role, "The role to act as from here on."),
    )
    password_change = mutation(
        TokenPayload,
        passwords.change,
        "Changes the viewer's own password and ends their other sign-ins.",
        input=required(PasswordChangeInput, "Old and new password."),
    )
    password_reset_request = mutation(
        PasswordResetRequestPayload,
        passwords.reset_request,
        "Sends a link for a new password by e-mail, where there is such an account.",
        username=required(str, "The username."),
    )
    password_reset = mutation(
        TokenPayload,
        passwords.reset,
        "Sets a new password with a link's token, and signs in.",
        input=required(PasswordResetInput, "Token and new password."),
    )
    disclaimer_accept = mutation(
        ViewerPayload, passwords.disclaimer_accept, "Accepts the disclaimer as `viewer.disclaimer` words it."
    )

"""Mutations of signing in: who one is, and in which role."""

from collections.abc import Awaitable
from typing import Annotated

import strawberry

from domain.errors import DomainError
from resolvers import authentication as sign_in
from resolvers import password as passwords
from resolvers.authentication import Tokens
from schema.enums import Role
from schema.field_builders import Info, attribute
from schema.payload import UserError, errors_field, errors_of, plain
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


@strawberry.type(description="Tokens for whoever has signed in.")
class TokenPayload:
    access_token: str | None = attribute("Signed and good for 15 minutes; sent as `Authorization: Bearer …`.")
    refresh_token: str | None = attribute("Good for one refresh, within 14 days.")
    viewer: Viewer | None = attribute("Who is signed in now.")
    errors: list[UserError] = errors_field()


@strawberry.type(description="Whether signing out went well.")
class LogoutPayload:
    errors: list[UserError] = errors_field()


@strawberry.type(description="Whether the request was taken; it says nothing about whether there is such an account.")
class PasswordResetRequestPayload:
    errors: list[UserError] = errors_field()


@strawberry.type(description="The viewer, changed.")
class ViewerPayload:
    viewer: Viewer | None = attribute("The viewer as they now are.")
    errors: list[UserError] = errors_field()


async def _tokens(info: Info, write: Awaitable[Tokens]) -> TokenPayload:
    try:
        tokens = await write
    except DomainError as refused:
        return TokenPayload(access_token=None, refresh_token=None, viewer=None, errors=errors_of(refused))
    viewer = info.context.viewer_or_raise()
    return TokenPayload(access_token=tokens.access_token, refresh_token=tokens.refresh_token, viewer=viewer, errors=[])


@strawberry.type
class SignInMutations:
    @strawberry.mutation(description="Signs in. A wrong name and a wrong password have the same answer.")
    async def login(
        self, info: Info, input: Annotated[LoginInput, strawberry.argument(description="Who signs in.")]
    ) -> TokenPayload:
        return await _tokens(info, sign_in.login(info.context, **plain(input)))

    @strawberry.mutation(
        description="New tokens for a refresh token, which is used up; using one twice ends the sign-in."
    )
    async def token_refresh(
        self, info: Info, refresh_token: Annotated[str, strawberry.argument(description="From the last TokenPayload.")]
    ) -> TokenPayload:
        return await _tokens(info, sign_in.token_refresh(info.context, refresh_token=refresh_token))

    @strawberry.mutation(description="Signs out: ends every token and stream of this sign-in.")
    async def logout(
        self, info: Info, refresh_token: Annotated[str, strawberry.argument(description="From the last TokenPayload.")]
    ) -> LogoutPayload:
        await sign_in.logout(info.context, refresh_token=refresh_token)
        return LogoutPayload()

    @strawberry.mutation(description="Goes on in another role that the login holds; the tokens so far end.")
    async def role_switch(
        self, info: Info, role: Annotated[Role, strawberry.argument(description="The role to act as from here on.")]
    ) -> TokenPayload:
        return await _tokens(info, sign_in.role_switch(info.context, role=role))

    @strawberry.mutation(description="Changes the viewer's own password and ends their other sign-ins.")
    async def password_change(
        self,
        info: Info,
        input: Annotated[PasswordChangeInput, strawberry.argument(description="Old and new password.")],
    ) -> TokenPayload:
        return await _tokens(info, passwords.change(info.context, **plain(input)))

    @strawberry.mutation(description="Sends a link for a new password by e-mail, where there is such an account.")
    async def password_reset_request(
        self, info: Info, username: Annotated[str, strawberry.argument(description="The username.")]
    ) -> PasswordResetRequestPayload:
        await passwords.reset_request(info.context, username=username)
        return PasswordResetRequestPayload()

    @strawberry.mutation(description="Sets a new password with a link's token, and signs in.")
    async def password_reset(
        self,
        info: Info,
        input: Annotated[PasswordResetInput, strawberry.argument(description="Token and new password.")],
    ) -> TokenPayload:
        return await _tokens(info, passwords.reset(info.context, **plain(input)))

    @strawberry.mutation(description="Accepts the disclaimer as `viewer.disclaimer` words it.")
    async def disclaimer_accept(self, info: Info) -> ViewerPayload:
        return ViewerPayload(viewer=await passwords.disclaimer_accept(info.context), errors=[])

"""The password that every signature asks for: a token alone never signs, and wrong guesses slow down."""

from auth.passwords import is_password
from auth.tokens import digest
from db import clock
from db.audit_event import AuditEvent, append
from db.enums import UserErrorCode
from db.refusals import refuse
from db.throttle import forget_guess, reserve_guess
from db.user import User
from resolvers.context import Context


async def check_signing_password(context: Context, password: str, mutation: str, *field: str) -> None:
    """Refuses with WRONG_PASSWORD or TOO_MANY_ATTEMPTS unless it is the viewer's own; a wrong one is put on record."""
    viewer, database = context.let_in, context.services.database
    now = clock.now()
    reserved = await reserve_guess(database, digest(viewer.username), context.client.address, now)
    if not isinstance(reserved, list):
        raise refuse(
            UserErrorCode.TOO_MANY_ATTEMPTS,
            f"Too many wrong passwords. Try again in {int(reserved.total_seconds()) + 1} seconds.",
            *(field or ("password",)),
        )
    async with database.reading(primary=True) as connection:
        stored = (await connection.execute(User.password_of(viewer.user_key))).scalar_one()
    right = await is_password(password, stored)
    async with database.writing() as session:
        if right:
            await forget_guess(session, reserved)
        else:
            line = AuditEvent(
                provider_id=viewer.provider_key,
                at=now,
                actor_id=viewer.user_key,
                role=viewer.role,
                action="signingRefused",
                subject_type="User",
                subject_key=viewer.user_key,
                detail={"mutation": mutation},
                address=context.client.address,
                request_id=context.client.request_id,
            )
            await append(session, line)
    if not right:
        raise refuse(
            UserErrorCode.WRONG_PASSWORD,
            "This is not your password. Nothing was signed; type the password that you sign in with.",
            *(field or ("password",)),
        )

"""The password that every signature asks for: a token alone never signs, and a wrong one is put on record."""

from auth.credentials import verify_password
from db.models.audit_event import AuditEvent
from domain import clock
from domain.enums import UserErrorCode
from domain.errors import reject
from resolvers.core.context import Context
from services.audit.append import append


async def require_signing_password(context: Context, password: str, mutation: str, *field: str) -> None:
    """Refuses with WRONG_PASSWORD or TOO_MANY_ATTEMPTS at `field` unless it is the viewer's own."""
    viewer = context.require_active_viewer()
    if await verify_password(context.services.database, context.client.address, viewer.username, password, *field):
        return
    async with context.services.database.writing() as session:
        line = AuditEvent(
            provider_id=viewer.provider_key,
            at=clock.now(),
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
    raise reject(
        UserErrorCode.WRONG_PASSWORD,
        "This is not your password. Nothing was signed; type the password that you sign in with.",
        *field,
    )

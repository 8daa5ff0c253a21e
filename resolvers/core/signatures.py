"""Who may sign a record: one person in one role, and each role once."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from auth.separation_of_duties import other_role_signed
from auth.viewer import Viewer
from db.models.signature_request import SignatureSlot
from db.models.user import User
from domain.enums import Role, UserErrorCode
from domain.errors import UserError, user_error
from domain.sentences import say
from loaders.signature_request import SignatureSlotRow
from resolvers.core.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature on a record. The name of the signer is needed where the viewer would sign in the same role.

    `by_guest`: somebody without an account signed, so that it has no key.
    """

    role: Role
    signed_by_key: int | None
    signed_by: str = ""
    by_guest: bool = False

    @property
    def is_signed(self) -> bool:
        """Whether anybody has signed in the role."""
        return self.signed_by_key is not None or self.by_guest


def cannot_sign(viewer: Viewer, signatures: Collection[Signature], *field: str) -> Iterator[UserError]:
    """Yields why the viewer cannot sign a record that has these signatures; nothing if they may, or signed already."""
    own = next((each for each in signatures if each.role is viewer.role and each.is_signed), None)
    if own is not None and own.signed_by_key == viewer.user_key:
        return
    signed = [(each.role, each.signed_by_key) for each in signatures]
    other = other_role_signed(signed, viewer.user_key, viewer.role)
    if other is not None:
        message = say("SIGNED_IN_OTHER_ROLE", signed=other, role=viewer.role)
        yield user_error(UserErrorCode.NOT_ALLOWED, message, *field)
    elif own is not None:
        message = say("SIGNED_BY_OTHER", signer=own.signed_by)
        yield user_error(UserErrorCode.CONFLICT, message, *field)


async def named_signatures(uow: UnitOfWork, signed: Collection[tuple[Role, int | None]]) -> list[Signature]:
    """Returns the signatures on a record, with the name of another person who signed in the viewer's role."""
    return [await _named(uow, role, signer) for role, signer in signed]


async def _named(uow: UnitOfWork, role: Role, signer: int | None) -> Signature:
    name = ""
    if role is uow.viewer.role and signer not in (None, uow.viewer.user_key):
        name = (await uow.session.get_one(User, signer)).name
    return Signature(role, signer, name)


async def slot_signatures(uow: UnitOfWork, slots: Collection[SignatureSlot]) -> list[Signature]:
    """Returns the signatures of a document's slots, as `named_signatures` does, those of guests included."""
    return [of_guest(slot) if is_of_guest(slot) else await _named(uow, slot.role, slot.signed_by_id) for slot in slots]


def is_of_guest(slot: SignatureSlot | SignatureSlotRow) -> bool:
    """Whether somebody without an account has signed the slot."""
    signer = slot.signed_by_id if isinstance(slot, SignatureSlot) else slot.signed_by
    return slot.signed_at is not None and signer is None


def of_guest(slot: SignatureSlot | SignatureSlotRow) -> Signature:
    """Returns the signature of a guest."""
    return Signature(slot.role, None, slot.guest_name or "", by_guest=True)

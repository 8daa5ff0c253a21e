"""What the page of a guest's link shows of the one document that it is for."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class GuestDocument:
    """The document with the people around it, by name.

    `role`: that of the slot, in words ("an Employer Manager"). `address`: where codes are sent, as a hint such as
    `m…@example.org`. `statement`: what is signed, once the guest has typed their name.
    """

    title: str
    learner: str
    invited_by: str
    provider: str
    role: str
    address: str
    statement: str | None = None


class GuestSigning(Protocol):
    """What the page needs of the application. Each method takes the token of the link, and the caller's address and
    request id, and raises DomainError: NOT_FOUND where the link has ended."""

    async def read(self, token: str, name: str, address: str, request_id: str | None) -> GuestDocument:
        """Returns what the link is for; with the statement if the guest has typed a name."""

    async def open(self, token: str, address: str, request_id: str | None) -> str:
        """Records that the document was opened. Returns the path of its bytes, for a few minutes."""

    async def send_code(self, token: str, name: str, address: str, request_id: str | None) -> GuestDocument:
        """Sends a code to the address of the link."""

    async def sign(self, token: str, name: str, code: str, address: str, request_id: str | None) -> GuestDocument:
        """Signs the document; the link ends."""

"""The moves of a provider from one installation to another: what its keys were where its audit trail was sealed."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped

from db.models.base import Base, Digest, PrimaryKey, Timestamp, reference
from db.models.growth import Growth
from db.models.personal_data import Reason, not_personal


class ProviderMove(Base):
    """One move. `shifts`: by table, what its keys are more here than they were there.

    The hashes of audit events and the digests of unit signatures cover keys, so that their check needs those from
    before. `last_line`: the last event of the trail that was sealed before the move.
    """

    __tablename__ = "provider_move"
    __internal__ = True
    __growth__ = Growth.INSTALLATION

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    last_line: Mapped[int]
    last_hash: Mapped[Digest]
    shifts: Mapped[dict[str, Any]] = not_personal(Reason.CODE, JSON)
    # Of the export that was imported.
    manifest_sha256: Mapped[Digest]
    moved_at: Mapped[Timestamp]


def shifted(table: str, key: int | None, shifts: Mapping[str, int], sign: int = 1) -> int | None:
    """Returns a key of a table after a move; `sign` -1: before it. No row has the key 0, so that it stays."""
    return key + sign * shifts.get(table, 0) if key else key

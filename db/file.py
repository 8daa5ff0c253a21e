"""Files: what was uploaded, by whom, with its digest; the bytes lie in the file store."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Line, Moment, PrimaryKey, reference

if TYPE_CHECKING:
    from db.engine import Database


class File(Base):
    """One file. Announced (`uploaded_at` null), then stored; bound to one learner when it is first used.

    Until it is bound only its uploader sees it; from then on whoever sees the learner does.
    """

    __tablename__ = "file"

    id: Mapped[PrimaryKey]
    provider_id: Mapped[int] = reference("provider.id")
    learner_id: Mapped[int | None] = reference("learner.id", nullable=True)
    # Set where the file belongs to one aim (evidence, resources): an assessor of another aim does not see it.
    aim_id: Mapped[int | None] = reference("aim.id", nullable=True)
    name: Mapped[Line]
    content_type: Mapped[str] = mapped_column(String(120))
    size: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(String(64))
    storage_key: Mapped[str | None] = mapped_column(String(200))
    uploaded_by_id: Mapped[int] = reference("user_account.id")
    announced_at: Mapped[Moment]
    uploaded_at: Mapped[Moment | None]
    erased_at: Mapped[Moment | None]


async def known_files(database: "Database", storage_keys: Sequence[str]) -> list[str]:
    """Those of the keys that a record names: what the store holds besides was left by a killed server."""
    # unscoped: the server sweeps its store, for no viewer
    named = select(File.storage_key).where(File.storage_key.in_(storage_keys))
    return [row.storage_key for row in await database.rows(named, primary=True)]

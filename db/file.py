"""Files: what was uploaded, by whom, with its digest; the bytes lie in the file store."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, String, select
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Line, Moment, PrimaryKey, reference
from db.user import User

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


async def announced_file(database: "Database", key: int) -> Row[Any] | None:
    """Name and size of a file as announced, also once it has arrived; None where nobody waits for it any more."""
    # unscoped: asked for whoever holds the link that only the uploader was given
    announced = (
        select(File.name, File.size)
        .join(User, User.id == File.uploaded_by_id)
        .where(File.id == key, File.erased_at.is_(None), User.archived_at.is_(None))
    )
    rows = await database.rows(announced, primary=True)
    return rows[0] if rows else None

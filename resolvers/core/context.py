"""What one operation works with: who is asking, the loaders, and the services of the installation."""

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auth.signed_urls import SignedUrls
from auth.tokens import AccessTokens
from auth.viewer import NotSignedIn, SetupRequired, Viewer, read_viewer
from db.database import Database
from domain import clock
from loaders.core.qualification_cache import QualificationCache
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from services.change_feed import ChangeFeed
from services.mail.sender import MailSender
from services.storage.file_store import FileStore

if TYPE_CHECKING:
    from auth.tokens import AccessClaims


@dataclass(slots=True)
class Services:
    """What a server process has one of. `base_url` is the address that people open, for links in e-mails."""

    database: Database
    files: FileStore
    links: SignedUrls
    tokens: AccessTokens
    changes: ChangeFeed
    qualifications: QualificationCache
    mail: MailSender
    base_url: str
    # An address under which people sign in to try it out: more is told to strangers there.
    is_demo: bool = False

    def after_commit(self, provider_key: int, learner_keys: set[int]) -> None:
        """After a commit: whoever listens hears of it, and the mail that came with it goes out."""
        self.changes.notify_committed(provider_key, learner_keys)
        self.mail.wake()


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, for the audit trail and for slowing down."""

    address: str = "local"
    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass(slots=True)
class Context:
    """One operation's context. Its loaders are its own, so that nobody is ever shown what another was allowed."""

    services: Services
    viewer: Viewer | None = None
    client: Client = field(default_factory=Client)
    claims: "AccessClaims | None" = None
    # Which of the operation's mutations is running, from 1.
    write_number: int = 0
    _loaders: Loaders | None = None
    # After a write: reads come from the primary database, which has it.
    _has_written: bool = False

    def viewer_or_raise(self) -> Viewer:
        """The viewer, who may still have to change the password first; raises NotSignedIn."""
        if self.viewer is None:
            raise NotSignedIn
        return self.viewer

    def require_active_viewer(self) -> Viewer:
        """The viewer, with nothing left to do first; raises NotSignedIn or SetupRequired."""
        viewer = self.viewer_or_raise()
        if viewer.must_complete_setup:
            raise SetupRequired(viewer)
        return viewer

    @property
    def loaders(self) -> Loaders:
        """This operation's loaders; raises NotSignedIn or SetupRequired."""
        if self._loaders is None:
            viewer, database = self.require_active_viewer(), self.services.database
            primary = self._has_written or not database.replica_has_write(viewer.last_write_at)
            reading = ReadSession(database, viewer, self.services.qualifications, primary)
            self._loaders = Loaders(reading)
        return self._loaders

    def invalidate_loaders(self, viewer: Viewer | None = None) -> None:
        """Something was changed: what was read before is not true any more. `viewer`: who is signed in from here on."""
        self._loaders = None
        self._has_written = True
        if viewer is not None:
            self.viewer = viewer

    def restart(self) -> None:
        """The compiled executor hands the operation over to the generic one, which starts as if nothing was read."""
        self._loaders = None

    async def still_signed_in(self) -> bool:
        """Reads the viewer again, for a stream that outlives its request; False once the sign-in is over."""
        if self.claims is None or self.claims.expires_at <= clock.now():
            return False
        try:
            self.viewer = await read_viewer(self.services.database, self.claims)
        except NotSignedIn:
            return False
        self._loaders = None
        return not self.viewer.must_complete_setup

    def close(self) -> None:
        """Lets go of what was read, at once: the executor's objects hold each other, and would hold it until collected."""
        self._loaders = None

    @property
    def now(self) -> dt.datetime:
        """The moment that this operation's writes are stamped with."""
        return clock.now()

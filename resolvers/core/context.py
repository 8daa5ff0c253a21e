"""The context of one operation: the viewer, the loaders, and the services of the server process."""

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auth.identity.client import IdentityClient
from auth.lasting_links import LastingLinks
from auth.one_time_secrets import OneTimeSecrets
from auth.signed_urls import SignedUrls
from auth.tokens import AccessClaims, AccessTokens
from auth.viewer import NotSignedIn, SetupRequired, Viewer, read_viewer
from db.database import Database
from domain import clock
from domain.sentences import ENGLISH, Language
from loaders.core.qualification_cache import QualificationCache
from loaders.core.read_session import ReadSession
from loaders.core.registry import Loaders
from loaders.core.shapes import RowReads
from services.change_feed.feed import ChangeFeed
from services.mail.sender import MailSender
from services.push.sender import PushSender
from services.quotas import Quotas
from services.storage.file_store import FileStore


@dataclass(slots=True)
class Services:
    """The services of one server process. `base_url` is the public address, used in links of e-mails."""

    database: Database
    files: FileStore
    links: SignedUrls
    tokens: AccessTokens
    one_time_secrets: OneTimeSecrets
    lasting_links: LastingLinks
    changes: ChangeFeed
    qualifications: QualificationCache
    mail: MailSender
    push: PushSender
    base_url: str
    # Of e-mails as files, whether or not there is an SMTP server now.
    mail_folder: Path | None = None
    quotas: Quotas = field(default_factory=Quotas)
    # The names of the saved queries, and what reads their variables from JSON: None for variables that do not fit.
    saved_queries: frozenset[str] = frozenset()
    parse_report_variables: Callable[[str, str | None], dict[str, Any] | None] = lambda name, text: None
    # Set when a bulk export was started in this process.
    export_started: asyncio.Event = field(default_factory=asyncio.Event)
    identity: IdentityClient = field(default_factory=IdentityClient)


@dataclass(frozen=True, slots=True)
class Client:
    """The client that sent a request: recorded in audit events and used to limit password attempts."""

    address: str = "local"
    request_id: str | None = None
    idempotency_key: str | None = None
    # In which the messages of errors are written.
    language: Language = ENGLISH


@dataclass(slots=True)
class Context:
    """The context of one operation. Its loaders are its own, so that no user gets rows that were read for another."""

    services: Services
    viewer: Viewer | None = None
    client: Client = field(default_factory=Client)
    claims: AccessClaims | None = None
    # The position of the mutation that runs among those of the operation, from 1.
    write_number: int = 0
    # What a mutation has made before its transaction, because that takes too long to hold locks meanwhile.
    prepared: Any = None
    # What the fields of the operation read of each row; None if that is not known.
    reads: RowReads | None = None
    # What is selected of the payload of the mutation that runs; None if that is not known.
    _payload_reads: RowReads | None = None
    _loaders: Loaders | None = None
    # After a write, reads use the primary database, because a replica may not have the write yet.
    _has_written: bool = False

    def viewer_or_raise(self) -> Viewer:
        """Returns the viewer, who may still have to change the password; raises NotSignedIn."""
        if self.viewer is None:
            raise NotSignedIn
        return self.viewer

    def require_active_viewer(self) -> Viewer:
        """Returns the viewer, who has completed the setup; raises NotSignedIn or SetupRequired."""
        viewer = self.viewer_or_raise()
        if viewer.must_complete_setup:
            raise SetupRequired(viewer)
        return viewer

    @property
    def loaders(self) -> Loaders:
        """The loaders of this operation; raises NotSignedIn or SetupRequired."""
        if self._loaders is None:
            viewer, database = self.require_active_viewer(), self.services.database
            primary = self._has_written or not database.replica_has_write(viewer.last_write_at)
            qualifications = self.services.qualifications
            reading = ReadSession(database, viewer, qualifications, primary, reads=self.reads, now=self.now)
            self._loaders = Loaders(reading)
        return self._loaders

    def invalidate_loaders(self) -> None:
        """Drops the rows that were read so far, because a write may have changed them."""
        self._loaders = None
        self._has_written = True

    async def set_viewer(self, claims: AccessClaims) -> None:
        """Makes the user of an access token the viewer of the rest of the operation; raises NotSignedIn."""
        self.claims = claims
        self.viewer = await read_viewer(self.services.database, claims)
        self.invalidate_loaders()

    async def reload_viewer(self) -> None:
        """Reads the viewer again, after a write that changed their account or the provider's settings."""
        if self.claims is not None:
            await self.set_viewer(self.claims)

    def set_reads(self, reads: RowReads | None, of_payload: bool = False) -> None:
        """Sets what the fields of the operation that begins read of each row; None if they may read anything.

        `of_payload`: the operation is a mutation, whose resolver may read anything until the payload begins.
        """
        self._payload_reads = reads if of_payload else None
        self._use_reads(None if of_payload else reads)

    def begin_payload(self) -> None:
        """Lets rows have only what is selected from now on: the mutation itself has read what it needs."""
        if self._payload_reads is not None:
            self._use_reads(self._payload_reads)

    def _use_reads(self, reads: RowReads | None) -> None:
        if reads is not self.reads:
            self.reads, self._loaders = reads, None

    def widen_payload(self, error: AttributeError) -> bool:
        """After an error of what loads a payload: whether a row lacked an attribute. Rows are whole from then on."""
        if self.reads is None or not self.reads.widen(error):
            return False
        self.restart()
        return True

    def restart(self) -> None:
        """Drops the rows that were read so far, so that the generic executor can run the operation from the start."""
        self.reads = self._payload_reads = self._loaders = None

    async def still_signed_in(self) -> bool:
        """Reads the viewer again, for a stream that outlives its request; returns False once they are signed out."""
        if self.claims is None or self.has_expired:
            return False
        viewer = await self.services.changes.live.viewer(self.claims)
        if viewer is None:
            return False
        self.viewer, self._loaders = viewer, None
        return not viewer.must_complete_setup

    @property
    def has_expired(self) -> bool:
        """Whether the access token has expired meanwhile."""
        return self.claims is not None and self.claims.expires_at <= clock.now()

    def close(self) -> None:
        """Releases the rows that were read. The executor's objects refer to each other, so they are collected late."""
        self._loaders = None

    @property
    def now(self) -> dt.datetime:
        """The current time, in UTC."""
        return clock.now()

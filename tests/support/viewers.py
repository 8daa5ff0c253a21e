"""The viewer, the read session and the context of an operation for a user of a test."""

import datetime as dt
from pathlib import Path
from typing import Any

from auth.lasting_links import LastingLinks
from auth.one_time_secrets import OneTimeSecrets
from auth.signed_urls import SignedUrls
from auth.tokens import AccessTokens
from auth.viewer import ProviderRules, Viewer
from db.database import Database
from db.models.learner import Learner
from db.models.user import User
from domain import clock
from domain.enums import Role
from loaders.core.qualification_cache import QualificationCache
from loaders.core.read_session import ReadSession
from resolvers.core.context import Context, Services
from services.change_feed.feed import ChangeFeed
from services.mail.sender import MailSender
from services.mail.transport import open_transport
from services.push.client import PushClient
from services.push.keys import PushKeys
from services.push.push_services import PushServices
from services.push.sender import PushSender
from services.storage.file_store import open_store


def viewer(user: User, role: Role, learner: Learner | None = None, **rules: Any) -> Viewer:
    """Returns a viewer. `learner`: the viewer's own record; `rules`: settings of the provider, if not the default."""
    settings = {
        "traffic_light_tolerance": 10.0,
        "rated_from_percent": 0.0,
        "review_interval_weeks": 12,
        "unit_signatures": (Role.ASSESSOR,),
        "disclaimer": None,
        **rules,
    }
    return Viewer(
        user_key=user.id,
        provider_key=user.provider_id,
        role=role,
        auth_session_key=1,
        learner_key=learner.id if learner and role is Role.LEARNER else None,
        username=user.username,
        name=user.name,
        email=user.email,
        last_login_at=user.last_login_at,
        must_change_password=False,
        must_accept_disclaimer=False,
        expires_at=clock.now() + dt.timedelta(minutes=15),
        rules=ProviderRules(**settings),
        own_learner_key=learner.id if learner else None,
    )


def reading(database: Database, who: Viewer, now: dt.datetime | None = None) -> ReadSession:
    """Returns the read session of a viewer."""
    return ReadSession(database, who, QualificationCache(database), now=now or clock.now())


def services(database: Database, folder: Path) -> Services:
    """Returns the services of a server process, with files and mail in the folder."""
    one_time_secrets = OneTimeSecrets({"test": b"o" * 32})
    return Services(
        database=database,
        files=open_store(folder / "files"),
        links=SignedUrls(b"l" * 32),
        tokens=AccessTokens({"test": b"t" * 32}),
        one_time_secrets=one_time_secrets,
        lasting_links=LastingLinks({"test": b"k" * 32}),
        changes=ChangeFeed(database),
        qualifications=QualificationCache(database),
        mail=MailSender(
            database, open_transport(None, folder / "mail", "waymark@example.org"), one_time_secrets.fill_in
        ),
        push=PushSender(database, PushKeys({"test": b"p" * 32}, "mailto:it@example.org"), PushServices(), PushClient()),
        base_url="http://waymark.test",
        mail_folder=folder / "mail",
    )


def context(database: Database, who: Viewer, folder: Path) -> Context:
    """Returns the context of one operation."""
    return Context(services(database, folder), who)

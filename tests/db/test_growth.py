"""Every table stays bounded: its class is an entity, says why nothing is deleted, or declares what is swept."""

import datetime as dt

import pytest
from sqlalchemy import BigInteger, MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from auth.login_throttle import WINDOW
from db.models.auth_session import IdempotencyKey, LoginAttempt
from db.models.base import Base
from db.models.growth import Growth, Sweep
from db.models.provider_move import ProviderMove
from db.models.registry import mapped_classes
from services.sweeper import swept_classes


def without_a_say(classes: list[type[Base]]) -> list[str]:
    """The classes that say nothing about the growth of their tables."""
    return [each.__name__ for each in classes if each.__entity__ is None and each.__growth__ is None]


def test_each_table_says_why_it_stays_bounded() -> None:
    assert without_a_say(mapped_classes()) == [], "declare `__growth__`: db/models/growth.py says how"


def test_a_class_that_says_nothing_is_found() -> None:
    class Apart(DeclarativeBase):
        metadata = MetaData()
        __entity__ = __growth__ = None

    class Visit(Apart):
        __tablename__ = "visit"
        id: Mapped[int] = mapped_column(BigInteger, primary_key=True)

    assert without_a_say([Visit]) == ["Visit"]  # type: ignore[list-item]
    Visit.__growth__ = Growth.BOUNDED
    assert without_a_say([Visit]) == []  # type: ignore[list-item]


def test_what_only_secures_an_account_is_swept() -> None:
    """The tables that grow with every request: a decision to keep one of them for ever is made here."""
    # A provider moves here once.
    internal = {each.__name__ for each in mapped_classes() if each.__internal__ and each is not ProviderMove}
    assert internal == {
        "AuthSession", "GuestInvitation", "IdempotencyKey", "LoginAttempt", "OneTimeToken", "OutboxMail",
        "PasswordResetRequest", "RefreshToken",
        "RecoveryCode", "SecondFactor", "SigningCode", "TaskReminder",
        "IdentityLink", "IdentityLogin", "IdentityProvider",
        "ClientDocument", "TrustedDocument", "UploadPart", "PushMessage",
    }  # fmt: skip
    # A user has at most one second factor, ten recovery codes, and one link at each identity provider.
    internal -= {"RecoveryCode", "SecondFactor", "IdentityLink", "IdentityProvider"}
    # The operator adds and retires these.
    internal -= {"ClientDocument", "TrustedDocument"}
    others = {"AccessKey", "BulkExport", "DeletedRecord", "File", "PushSubscription", "ReportSchedule"}
    assert internal | others == {entity.__name__ for entity, _ in swept_classes()}


@pytest.mark.parametrize(("entity", "needed"), [(LoginAttempt, WINDOW), (IdempotencyKey, dt.timedelta(days=1))])
def test_rows_are_kept_for_as_long_as_they_are_used(entity: type[Base], needed: dt.timedelta) -> None:
    assert isinstance(entity.__growth__, Sweep) and entity.__growth__.after >= needed

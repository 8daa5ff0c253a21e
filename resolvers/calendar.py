"""A person's calendar: their own sessions, at a private address that they can end (iCalendar)."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from auth.lasting_links import CALENDAR
from domain import clock, global_id
from domain.enums import SessionStatus
from repositories.calendar import own_sessions, provider_of_calendar
from resolvers.core.context import Services
from services.mail.calendar_entry import session_event, session_feed

# Sessions that began longer ago are left out.
_PAST = dt.timedelta(days=90)


async def read_calendar(services: Services, token: str) -> str | None:
    """Returns the calendar at an address of `notification_settings.calendar_url`; None for any other address."""
    parts = services.lasting_links.verify(CALENDAR, token)
    if parts is None:
        return None
    user_key, now = int(parts[0]), clock.now()
    provider_key = await provider_of_calendar(services.database, user_key, parts[1])
    if provider_key is None:
        return None
    rows = await own_sessions(services.database, user_key, provider_key, now - _PAST)
    # A thousand sessions take a tenth of a second.
    return await asyncio.to_thread(_feed, services.base_url, user_key, rows, now)


def _feed(base_url: str, user_key: int, rows: Sequence[Row[Any]], now: dt.datetime) -> str:
    return session_feed(
        [
            session_event(
                key=row.id,
                sequence=row.version,
                summary=f"Session {row.number} with {row.learner if row.assessor_id == user_key else row.assessor}",
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                location=row.location,
                description=f"{base_url}/open/{global_id.encode('Session', row.id)}",
                cancelled=row.status is SessionStatus.CANCELLED,
            )
            for row in rows
        ],
        now,
    )

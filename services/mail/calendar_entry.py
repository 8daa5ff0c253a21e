"""Calendar entries of sessions: a mail client adds, moves or removes them with a click."""

import datetime as dt
from collections.abc import Iterable
from email.headerregistry import Address

from icalendar import Calendar, Event, vCalAddress, vText


def session_event(
    *, key: int, sequence: int, summary: str, starts_at: dt.datetime, ends_at: dt.datetime, location: str | None,
    description: str, cancelled: bool,
) -> Event:  # fmt: skip
    """Returns the entry of a session. `sequence` grows with each change, so that clients replace the entry."""
    event = Event()
    event.add("uid", f"session-{key}@waymark")
    event.add("sequence", sequence)
    event.add("summary", summary)
    event.add("dtstart", starts_at.astimezone(dt.UTC))
    event.add("dtend", ends_at.astimezone(dt.UTC))
    event.add("description", description)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    if location:
        event.add("location", location)
    return event


def session_invitation(event: Event) -> str:
    """Returns the entry of a session as text, for an e-mail."""
    calendar = _calendar()
    calendar.add("method", "CANCEL" if event["status"] == "CANCELLED" else "REQUEST")
    calendar.add_component(event)
    return calendar.to_ical().decode()


def session_feed(events: Iterable[Event], now: dt.datetime) -> str:
    """Returns the entries of a person's sessions as text, for a calendar program that reads them again and again."""
    calendar = _calendar()
    calendar.add("name", "Waymark")
    calendar.add("x-wr-calname", "Waymark")
    calendar.add("refresh-interval", dt.timedelta(hours=1), parameters={"value": "DURATION"})
    for event in events:
        event.add("dtstamp", now.astimezone(dt.UTC))
        calendar.add_component(event)
    return calendar.to_ical().decode()


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Waymark//e-portfolio//EN")
    calendar.add("version", "2.0")
    return calendar


def addressed(entry: str, *, organizer: Address, attendee: str, created_at: dt.datetime) -> tuple[str, str]:
    """Returns an entry as it is sent, and its method: with its organizer, who sends the mail, and its recipient."""
    calendar = Calendar.from_ical(entry)
    for event in calendar.walk("VEVENT"):
        sender = vCalAddress(f"mailto:{organizer.addr_spec}")
        sender.params["cn"] = vText(organizer.display_name)
        event["organizer"] = sender
        guest = vCalAddress(f"mailto:{attendee}")
        guest.params["rsvp"] = vText("FALSE")
        event.add("attendee", guest, encode=False)
        event.add("dtstamp", created_at.astimezone(dt.UTC))
    return calendar.to_ical().decode(), str(calendar["method"])

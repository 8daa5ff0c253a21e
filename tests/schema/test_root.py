"""The schema writes times as Python's `isoformat`, with a faster function."""

import datetime as dt
from random import Random

from schema.root import utc_text


def test_times_in_utc_are_written_as_by_isoformat() -> None:
    rng = Random(11)
    moments = [dt.datetime.min, dt.datetime.max, dt.datetime(1999, 12, 31, 23, 59, 59), dt.datetime(987, 6, 5)]
    span = (dt.datetime.max - dt.datetime.min).total_seconds()
    moments += [dt.datetime.min + dt.timedelta(seconds=rng.random() * span) for _ in range(2000)]
    moments += [dt.datetime(2026, 11, 29, 9, 0, 0, 10**place) for place in range(6)]
    for moment in moments:
        moment = moment.replace(tzinfo=dt.UTC)
        assert utc_text(moment) == moment.isoformat()

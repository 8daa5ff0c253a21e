"""Incremental loads: the records that are new since a time."""

import datetime as dt

# A change gets the time at which its transaction began, and is seen once that has ended. A request for what is new
# since a time also gives what is a little older, so that a change that was being stored at that time is not missed.
OVERLAP = dt.timedelta(minutes=1)
# How long it is known that a record was deleted.
DELETIONS_KEPT = dt.timedelta(days=366)

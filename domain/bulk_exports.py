"""Bulk exports: how long they are kept, how many a user has, and why one fails."""

import datetime as dt

# How long the file of an export is kept.
KEPT = dt.timedelta(days=3)
# Exports that one user starts in 24 hours, and schedules of one user that have not ended.
MOST_A_DAY = 50
MOST_SCHEDULES = 20
# If a process reports nothing about its export for this long, another process takes over the export.
LEASE = dt.timedelta(minutes=1)
# An export fails when its process has ended early this many times.
MOST_ATTEMPTS = 3
MAX_DURATION = dt.timedelta(hours=1)

# Why an export failed, by the code that is stored.
FAILURES = {
    "ROLE_ENDED": "The role in which it was started has ended.",
    "OPERATION_FAILED": "The operation could not be run with these variables.",
    "TOO_MANY_ROWS": "An Excel sheet can have up to 1,048,575 rows. Choose another format.",
    "TOOK_TOO_LONG": "It took longer than an hour. Choose variables that select less.",
    "SERVER_STOPPED": "The server stopped three times while it was made. Start it again.",
    "NO_ROOM": "Its file would need more space than your exports, or those of your training provider, may use. Choose "
    "Parquet, or variables that select less, or start it again when earlier files are deleted, after three days.",
    "NO_SPACE": "The file could not be stored. Start it again later.",
    "INTERNAL": "It could not be made. Start it again; if that fails too, tell the operator the time of the failure.",
}

"""Records that were deleted, for programs that keep a copy."""

import datetime as dt
from typing import Annotated

import strawberry

from loaders.deleted_record import DELETED_RECORDS
from schema.field_builders import attribute, connection
from schema.relay import Connection


@strawberry.type(description="A record that no longer exists. A program that keeps a copy deletes it there too.")
class DeletedRecord:
    id: strawberry.ID = attribute("The id that the record had, such as `TimeLogEntry_7`.")
    deleted_at: dt.datetime = attribute("When it was deleted.")


@strawberry.type
class DeletedRecordQueries:
    deleted_records: Connection[DeletedRecord] = connection(
        "The records that were deleted, of those that the viewer would see, earliest first: actions and time log "
        "entries are. They are kept for 366 days. What was withdrawn or cancelled still exists, with that status.",
        DELETED_RECORDS,
        since=Annotated[
            dt.datetime,
            strawberry.argument(
                description="Only records that were deleted at this time or later, or up to a minute before."
            ),
        ],
    )

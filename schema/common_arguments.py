"""Arguments that many fields take: an id, and the two of every page."""

from typing import Annotated

import strawberry

Id = Annotated[strawberry.ID, strawberry.argument(description="The record's id.")]
First = Annotated[int | None, strawberry.argument(description="How many, 1 to 100; 20 where null.")]
After = Annotated[str | None, strawberry.argument(description="A cursor of this list: what follows it.")]
Search = Annotated[
    str | None, strawberry.argument(description="Part of the name, in any case, with or without its accents.")
]

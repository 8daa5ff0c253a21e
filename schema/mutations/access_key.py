"""Mutations of access keys."""

import datetime as dt

import strawberry

from loaders.access_key import AccessKeyLoader
from resolvers import access_key
from schema.field_builders import Id
from schema.payload import changed, mutation, payload, required, result
from schema.types.access_key import AccessKey


@strawberry.input(description="A new access key.")
class AccessKeyInput:
    name: str = strawberry.field(description="What the key is for, up to 200 characters.")
    expires_at: dt.datetime = strawberry.field(description="From when on it is refused: at most a year from now.")
    password: str = strawberry.field(
        description="The viewer's own password; for a viewer without one, a code of `signingCodeRequest`."
    )
    operations: list[str] = strawberry.field(
        default_factory=list, description="The saved queries that it may run, by name; every query if empty."
    )


@payload("The result of a mutation of access keys.")
class AccessKeyPayload:
    access_key: AccessKey | None = changed(AccessKeyLoader, "The key.", of="key")
    secret: str | None = result(
        "The secret of a new key, beginning with `wmk_`. It is shown once; keep it where passwords are kept.",
        make=lambda context, made: made.get("secret"),
    )


@strawberry.type
class AccessKeyMutations:
    access_key_create = mutation(
        AccessKeyPayload,
        access_key.create,
        "Makes an access key for a program that reads what the viewer may see in the role in use. At most 20 keys of a "
        "user are valid at a time. A repetition with the same `Idempotency-Key` makes another key.",
        input=required(AccessKeyInput, "The key."),
    )
    access_key_revoke = mutation(
        AccessKeyPayload,
        access_key.revoke,
        "Revokes one of the viewer's own access keys. It is refused from the next request on.",
        id=Id,
    )

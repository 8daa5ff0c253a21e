"""Access keys: for programs that read as their owner."""

import datetime as dt

from loaders.access_key import AccessKeyRow
from schema.enums import Role
from schema.field_builders import attribute
from schema.relay import Node, node
from schema.types.viewer_action import ViewerAction, viewer_actions


@node(
    AccessKeyRow,
    "A key with which a program reads what its owner may see in one role. It is sent as `Authorization: Bearer` or as "
    "the password of `Authorization: Basic`. It never writes and never signs, and has a budget of its own. It ends "
    "when it is revoked or expires, and with the role and the account of its owner.",
)
class AccessKey(Node):
    name: str = attribute("What the key is for, in the owner's words.")
    role: Role = attribute("The role that the key reads in.")
    operations: list[str] = attribute("The saved queries that it may run, by name; every query if empty.")
    created_at: dt.datetime = attribute("When it was made.")
    expires_at: dt.datetime = attribute("From when on it is refused.")
    revoked_at: dt.datetime | None = attribute("When its owner revoked it; null if it was not revoked.")
    last_used_at: dt.datetime | None = attribute("When it was last used, to five minutes; null if it never was.")
    viewer_actions: list[ViewerAction] = viewer_actions("AccessKey")

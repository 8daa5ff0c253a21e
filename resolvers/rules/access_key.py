"""Rules of access keys: everybody who sees one may revoke it."""

from resolvers.core.rules import Owned, RecordRules

ACCESS_KEY = RecordRules("AccessKey", state=lambda row: Owned())
ACCESS_KEY.by_role("accessKeyRevoke")

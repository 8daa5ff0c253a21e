"""Rules of access keys: everybody who sees one may revoke it."""

from resolvers.core.rules import Owned, RecordRules
from resolvers.rules.viewer import VIEWER

ACCESS_KEY = RecordRules("AccessKey", state=lambda row: Owned())
ACCESS_KEY.by_role("accessKeyRevoke")
VIEWER.by_role("accessKeyCreate")

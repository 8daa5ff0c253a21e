"""What the server uses of this folder: the reports as files and as OData."""

from .odata.feed import ODataFeed
from .reports import Reports

__all__ = ["ODataFeed", "Reports"]

"""The protocol: GraphQL over HTTP, event streams and sockets, their limits, and what is logged of them."""

from schema.http.documents import Documents
from schema.http.limits import Limits
from schema.http.view import View, make_view

__all__ = ["Documents", "Limits", "View", "make_view"]

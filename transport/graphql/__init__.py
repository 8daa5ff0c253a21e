"""The protocol: GraphQL over HTTP, event streams and sockets, their limits, and what is logged of them."""

from transport.graphql.endpoint import View, make_view
from transport.graphql.persisted_documents import Documents
from transport.limits import Limits

__all__ = ["Documents", "Limits", "View", "make_view"]

"""The protocol: GraphQL over HTTP, event streams and sockets, their limits, and what is logged of them."""

from transport.graphql.endpoint import GraphQLEndpoint, make_endpoint
from transport.graphql.persisted_documents import PersistedDocuments
from transport.limits import Limits

__all__ = ["GraphQLEndpoint", "Limits", "PersistedDocuments", "make_endpoint"]

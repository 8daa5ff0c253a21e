"""GraphQL over HTTP, server-sent events and WebSockets: requests, limits, execution and errors."""

from transport.graphql.endpoint import GraphQLEndpoint, make_endpoint
from transport.graphql.persisted_documents import PersistedDocuments
from transport.limits import Limits

__all__ = ["GraphQLEndpoint", "Limits", "PersistedDocuments", "make_endpoint"]

// Sends one operation to Waymark. session.ts adds the token.
import type { TypedDocumentString } from "./gql/graphql";

const SERVER = import.meta.env.VITE_WAYMARK ?? "http://127.0.0.1:8000";
// "trusted" in a build whose manifest is registered: requests have the hash of a document in place of its text.
const BY_HASH = import.meta.env.VITE_DOCUMENTS === "trusted";

/** The server has answered, and not with data alone. `code` says why: docs/api.md of Waymark lists the codes. */
export class ServerError extends Error {
  constructor(message: string, readonly code: string) {
    super(message);
  }
}

/** Returns the data of an operation. Throws ServerError, or a TypeError where the server cannot be reached. */
export async function send<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  headers: Record<string, string> = {},
): Promise<Data> {
  const named = BY_HASH ? { documentId: document.__meta__?.["hash"] } : { query: document.toString() };
  const response = await fetch(`${SERVER}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "graphql-client-name": "learner-progress",
      "graphql-client-version": "0.1.0",
      ...headers,
    },
    body: JSON.stringify({ ...named, variables }),
  });
  const { data, errors } = await response.json();
  if (errors?.length) throw new ServerError(errors[0].message, errors[0].extensions?.code ?? "");
  return data;
}

// Sends saved operations by their name, and nothing else. Queries are GET requests with the ETag of the last response.

const ENDPOINT = "/graphql";
const TIMEOUT = 20_000;
const RETRY = 2_000;

/** The server cannot be reached: no network, or no response in time. */
export class OfflineError extends Error {
  constructor() {
    super("There is no connection to Waymark at the moment.");
  }
}

/** The server answered with an error. `code` is its code, such as UNAUTHENTICATED. */
export class ServerError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Runs a query; returns {notModified: true} if `etag` is still current, else {data, etag}. */
export async function query(name, variables, token, etag) {
  const url = `${ENDPOINT}?${new URLSearchParams({ documentId: name, variables: JSON.stringify(variables) })}`;
  const headers = { ...commonHeaders(token), "apollo-require-preflight": "true" };
  if (etag) headers["if-none-match"] = etag;
  const response = await send(url, { headers });
  if (response.status === 304) return { notModified: true };
  return { data: await dataOf(response), etag: response.headers.get("etag") };
}

/** Runs a mutation and returns its data. If the server does not know the outcome, the same request is sent once
 * more. */
export async function mutate(name, variables, token) {
  const request = postRequest(name, variables, token);
  // With the same key a mutation has one effect, however often it is sent.
  request.headers["idempotency-key"] = randomKey();
  try {
    return await dataOf(await send(ENDPOINT, request));
  } catch (error) {
    if (error.code !== "OUTCOME_UNKNOWN") throw error;
  }
  await new Promise((resolve) => setTimeout(resolve, RETRY));
  return dataOf(await send(ENDPOINT, request));
}

/** Opens the event stream of a subscription and returns the response, whose body the caller reads. */
export async function openStream(name, token, signal) {
  const request = postRequest(name, {}, token);
  request.headers.accept = "text/event-stream";
  let response;
  try {
    response = await fetch(ENDPOINT, { ...request, signal, cache: "no-store", keepalive: false });
  } catch {
    throw new OfflineError();
  }
  if (!response.ok) await dataOf(response);
  return response;
}

function postRequest(name, variables, token) {
  return {
    method: "POST",
    // The browser completes the request even if the page is closed.
    keepalive: true,
    headers: { ...commonHeaders(token), "content-type": "application/json" },
    body: JSON.stringify({ documentId: name, variables }),
  };
}

// crypto.randomUUID is missing on pages without TLS.
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function commonHeaders(token) {
  return {
    accept: "application/graphql-response+json, application/json",
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  };
}

async function send(url, request) {
  try {
    return await fetch(url, { ...request, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) });
  } catch {
    throw new OfflineError();
  }
}

async function dataOf(response) {
  let body;
  try {
    body = await response.json();
  } catch {
    // A proxy answered instead of Waymark, or the response was cut off.
    throw new OfflineError();
  }
  if (body.errors?.length) {
    const [{ message, extensions }] = body.errors;
    throw new ServerError(extensions?.code ?? "INTERNAL", message);
  }
  if (!response.ok) throw new OfflineError();
  return body.data;
}

// Asking the graph: saved operations by their name, nothing else. Queries go over GET with the ETag of the last answer.

const ADDRESS = "/graphql";
const PATIENCE = 20_000;

/** There is no way to the server now: no network, or no answer in time. */
export class Offline extends Error {
  constructor() {
    super("There is no connection to Waymark at the moment.");
  }
}

/** The server answered, and not with data. `code` is the error's, such as UNAUTHENTICATED. */
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Runs a query; gives {same: true} where `etag` still stands, else {data, etag}. Raises Offline or Refused. */
export async function query(name, variables, token, etag) {
  const address = `${ADDRESS}?${new URLSearchParams({ documentId: name, variables: JSON.stringify(variables) })}`;
  const headers = { ...signed(token), "apollo-require-preflight": "true" };
  if (etag) headers["if-none-match"] = etag;
  const answer = await send(address, { headers });
  if (answer.status === 304) return { same: true };
  return { data: await dataOf(answer), etag: answer.headers.get("etag") };
}

/** Runs a mutation; gives its data. Raises Offline or Refused. */
export async function mutate(name, variables, token) {
  return dataOf(await send(ADDRESS, body(name, variables, token)));
}

/** Opens an event stream; gives the response, whose body is to be read. Raises Offline or Refused. */
export async function stream(name, token, signal) {
  const request = body(name, {}, token);
  request.headers.accept = "text/event-stream";
  let answer;
  try {
    answer = await fetch(ADDRESS, { ...request, signal, cache: "no-store", keepalive: false });
  } catch {
    throw new Offline();
  }
  if (!answer.ok) await dataOf(answer);
  return answer;
}

function body(name, variables, token) {
  return {
    method: "POST",
    // What was sent is sent to its end, even if the page is closed meanwhile.
    keepalive: true,
    headers: { ...signed(token), "content-type": "application/json" },
    body: JSON.stringify({ documentId: name, variables }),
  };
}

function signed(token) {
  return {
    accept: "application/graphql-response+json, application/json",
    ...(token ? { authorization: `Bearer ${token}` } : {}),
  };
}

async function send(address, request) {
  try {
    return await fetch(address, { ...request, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Offline();
  }
}

async function dataOf(answer) {
  let read;
  try {
    read = await answer.json();
  } catch {
    // Something between here and Waymark has answered in its place, or the answer broke off.
    throw new Offline();
  }
  if (read.errors?.length) {
    const [{ message, extensions }] = read.errors;
    throw new Refused(extensions?.code ?? "INTERNAL", message);
  }
  if (!answer.ok) throw new Offline();
  return read.data;
}

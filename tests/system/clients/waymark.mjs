// What the client tests share: the address of the server, signing in, plain requests to compare with.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export const address = process.env.WAYMARK;
export const graph = `${address}/graphql`;
export const root = new URL("../../../", import.meta.url);

/** A saved operation of the house, as text. */
export const saved = (name) => readFileSync(new URL(`queries/${name}.graphql`, root), "utf8");

/** The first fenced block of a page of docs/ that holds some words. */
export const block = (page, language, words) => {
  const text = readFileSync(new URL(`docs/${page}`, root), "utf8");
  const blocks = [...text.matchAll(new RegExp("^```" + language + "\\n(.*?)^```$", "gms"))].map(([, each]) => each);
  return blocks.find((each) => each.includes(words));
};

/** The data of one operation, by no client at all. Throws where there is an error of any kind. */
export async function plain(token, query, variables = {}) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(graph, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  const faults = errors ?? Object.values(data).flatMap((payload) => payload?.errors ?? []);
  if (faults.length) throw new Error(JSON.stringify(faults));
  return data;
}

/** The access token of somebody of the demo. */
export async function signIn(username) {
  const input = { username, password: "waymark-demo" };
  const { login } = await plain(
    null,
    "mutation($input: LoginInput!) { login(input: $input) { accessToken errors { message } } }",
    { input },
  );
  return login.accessToken;
}

/** SHA-256 of a document's bytes, as one has it after opening them. */
export async function opened(url) {
  const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
  return createHash("sha256").update(bytes).digest("hex");
}

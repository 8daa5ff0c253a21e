// Helpers for the client tests: the server's URL, signing in, and requests without a client library.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

export const address = process.env.WAYMARK;
export const graph = `${address}/graphql`;
export const root = new URL("../../../", import.meta.url);

/** Returns the text of a saved operation. */
export const saved = (name) => readFileSync(new URL(`queries/${name}.graphql`, root), "utf8");

/** Returns the first code block in a page of docs/ that contains `text`. */
export const block = (page, language, text) => {
  const content = readFileSync(new URL(`docs/${page}`, root), "utf8");
  const blocks = [...content.matchAll(new RegExp("^```" + language + "\\n(.*?)^```$", "gms"))].map(([, each]) => each);
  return blocks.find((each) => each.includes(text));
};

/** Sends one operation with fetch and returns its data. Throws if there is any error. */
export async function plain(token, query, variables = {}) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(graph, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  const allErrors = errors ?? Object.values(data).flatMap((payload) => payload?.errors ?? []);
  if (allErrors.length) throw new Error(JSON.stringify(allErrors));
  return data;
}

/** Returns an access token of a demo user. */
export async function signIn(username) {
  const input = { username, password: "waymark-demo" };
  const { login } = await plain(
    null,
    "mutation($input: LoginInput!) { login(input: $input) { accessToken errors { message } } }",
    { input },
  );
  return login.accessToken;
}

/** Downloads a document and returns its SHA-256. */
export async function sha256Of(url) {
  const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
  return createHash("sha256").update(bytes).digest("hex");
}

/** Uploads a small PDF and returns its id. */
export async function upload(token) {
  const content = Buffer.from("%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n");
  const { fileUploadCreate } = await plain(
    token,
    `mutation($input: FileUploadInput!) { fileUploadCreate(input: $input) {
       upload { fileId url headers { name value } } errors { message } } }`,
    { input: { name: "sheet.pdf", contentType: "application/pdf", size: content.length } },
  );
  const { fileId, url, headers } = fileUploadCreate.upload;
  const response = await fetch(url, {
    method: "PUT", body: content, headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
  });
  if (!response.ok) throw new Error(await response.text());
  return fileId;
}

// tus-js-client at the upload link: an upload whose connection is lost goes on by itself where it was cut.
import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { test } from "node:test";

import * as tus from "tus-js-client";

import { address, plain, signIn } from "./waymark.mjs";

const CONTENT = Buffer.from("Bled the brakes of a customer car today.\n".repeat(50_000));

/** Returns the upload URL of an announced file. */
async function announce(token) {
  const { fileUploadCreate } = await plain(
    token,
    `mutation($input: FileUploadInput!) { fileUploadCreate(input: $input) { upload { url } errors { message } } }`,
    { input: { name: "notes.txt", contentType: "text/plain", size: CONTENT.length } },
  );
  return fileUploadCreate.upload.url;
}

/** A connection to the server that resets the first upload after some of its bytes; returns its port. */
async function cutOnce() {
  const { hostname, port } = new URL(address);
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let sent = 0;
    client.on("data", (chunk) => {
      sent += chunk.length;
      upstream.write(chunk);
      if (cuts === 0 && sent > 1_000_000) {
        cuts += 1;
        client.destroy();
        // What was sent arrives; then the connection ends as one does whose client has gone.
        upstream.end();
      }
    });
    client.on("error", () => {}).on("close", () => upstream.end());
    upstream.on("error", () => {}).on("close", () => client.destroy());
    upstream.pipe(client);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port, cuts: () => cuts, close: () => server.close() };
}

test("an upload goes on after its connection was lost", async () => {
  const token = await signIn("learner");
  const url = await announce(token);
  const proxy = await cutOnce();
  const through = new URL(url);
  through.port = proxy.port;
  const offsets = [];
  await new Promise((resolve, reject) => {
    const upload = new tus.Upload(CONTENT, {
      uploadUrl: through.href,
      retryDelays: [0, 100, 500, 1000],
      onAfterResponse: (request, response) => {
        if (request.getMethod() === "HEAD") offsets.push(Number(response.getHeader("Upload-Offset")));
      },
      onError: reject,
      onSuccess: resolve,
    });
    upload.start();
  });
  proxy.close();
  assert.equal(proxy.cuts(), 1);
  assert.equal(offsets[0], 0);
  assert.ok(offsets.length >= 2);
  // The whole file is there: the same bytes in one piece are no other file.
  const again = await fetch(url, { method: "PUT", body: CONTENT, headers: { "content-type": "text/plain" } });
  assert.equal(again.status, 200);
});

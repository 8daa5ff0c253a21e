// The service worker: keeps the app's own files, so that it opens at once and without a connection.
// Answers of the graph do not pass through here; the app keeps those itself, per user (js/answers.js).
// `self.SHELL` ({version, files}) is put before this text by the server.

const KEPT = `waymark-kpi-${self.SHELL.version}`;
const HERE = new URL("./", self.location).href;

self.addEventListener("install", (event) => event.waitUntil(keepShell()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(HERE)) return;
  event.respondWith(fromShell(request));
});

async function keepShell() {
  const cache = await caches.open(KEPT);
  // Past the HTTP cache, so that a version is kept whole and never mixed with another.
  await cache.addAll(
    ["./", ...self.SHELL.files].map((path) => new Request(HERE + path.replace("./", ""), { cache: "reload" })),
  );
}

async function takeOver() {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith("waymark-kpi-") && name !== KEPT).map((name) => caches.delete(name)),
  );
  await self.clients.claim();
}

async function fromShell(request) {
  const cache = await caches.open(KEPT);
  const kept = await cache.match(request.mode === "navigate" ? HERE : request, { ignoreSearch: true });
  return kept ?? fetch(request);
}

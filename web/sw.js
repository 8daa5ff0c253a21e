// The service worker: caches the app's own files, so that the app opens without a connection, and shows notifications.
// GraphQL responses do not pass through here: the app stores them per user (js/query_cache.js). The server puts
// `self.SHELL = {version, files}` before this text.

const CACHE = `waymark-kpi-${self.SHELL.version}`;
const APP_URL = new URL("./", self.location).href;

self.addEventListener("install", (event) => event.waitUntil(cacheFiles()));
self.addEventListener("activate", (event) => event.waitUntil(deleteOldCaches()));

self.addEventListener("message", (event) => {
  // Pages of earlier versions send this message too, so it must not change.
  if (event.data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(APP_URL)) return;
  event.respondWith(fromCache(request));
});

async function cacheFiles() {
  const cache = await caches.open(CACHE);
  // "reload" bypasses the HTTP cache, so that files of two versions are never mixed.
  await cache.addAll(
    ["./", ...self.SHELL.files].map((path) => new Request(APP_URL + path.replace("./", ""), { cache: "reload" })),
  );
}

async function deleteOldCaches() {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith("waymark-kpi-") && name !== CACHE).map((name) => caches.delete(name)),
  );
  await self.clients.claim();
}

async function fromCache(request) {
  const cache = await caches.open(CACHE);
  const cached = await cache.match(request.mode === "navigate" ? APP_URL : request, { ignoreSearch: true });
  return cached ?? fetch(request);
}

// A message of the server: {title, body, kind, open}. A later one of a kind takes the place of an earlier one.
self.addEventListener("push", (event) => {
  const { title, body, kind, open } = event.data.json();
  const shown = { body, tag: kind, renotify: true, icon: `${APP_URL}icons/icon-192.png`, data: { open } };
  event.waitUntil(self.registration.showNotification(title, shown));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openApp(event.notification.data.open));
});

/** Shows a record, or the page of a kind of task, in the app: in its window, if there is one. */
async function openApp(open) {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const app = windows.find((each) => each.url.startsWith(APP_URL));
  if (!app) return self.clients.openWindow(`${APP_URL}#/open/${open}`);
  app.postMessage({ open });
  return app.focus();
}

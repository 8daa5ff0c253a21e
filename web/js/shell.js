// The app as something installed: the service worker that opens it without a connection, new versions, and the offer
// of the browser to install it.

/** The browser's offer to install the app, where it makes one. */
export let offer = null;

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  offer = event;
});
addEventListener("appinstalled", () => (offer = null));

/** Registers the service worker; calls `ready(reload)` when a newer version has been fetched and waits. */
export async function offerNewVersion(ready) {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  let controlled = workers.controller !== null;
  let registration;
  try {
    registration = await workers.register("sw.js", { updateViaCache: "none" });
  } catch {
    return; // no connection: the worker that is there goes on
  }
  workers.addEventListener("controllerchange", () => {
    // The first worker of all takes over a page that is as new as itself.
    if (controlled) location.reload();
    controlled = true;
  });
  const waits = (worker) => ready(() => worker.postMessage("take over"));
  if (registration.waiting && controlled) waits(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker.addEventListener("statechange", () => {
      if (worker.state === "installed" && workers.controller) waits(worker);
    });
  });
  addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") registration.update().catch(() => undefined);
  });
}

/** Asks the browser to install the app; whether it was. */
export async function install() {
  const { outcome } = await offer.prompt();
  offer = null;
  return outcome === "accepted";
}

// Installing the app: the service worker that opens it without a connection, new versions, and the browser's install
// prompt.

/** The browser's install prompt, or null. */
export let installPrompt = null;

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  installPrompt = event;
});
addEventListener("appinstalled", () => (installPrompt = null));

/** Registers the service worker; calls `onNewVersion(activate)` when a newer version is ready to be used. */
export async function registerServiceWorker(onNewVersion) {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  let controlled = workers.controller !== null;
  let registration;
  try {
    registration = await workers.register("sw.js", { updateViaCache: "none" });
  } catch {
    return; // No connection: the installed worker stays in use.
  }
  workers.addEventListener("controllerchange", () => {
    // The first worker controls a page of its own version, which need not be loaded again.
    if (controlled) location.reload();
    controlled = true;
  });
  const offer = (worker) => onNewVersion(() => worker.postMessage("take over"));
  if (registration.waiting && controlled) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker.addEventListener("statechange", () => {
      if (worker.state === "installed" && workers.controller) offer(worker);
    });
  });
  addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") registration.update().catch(() => undefined);
  });
}

/** Shows the install prompt; returns whether the app was installed. */
export async function install() {
  const { outcome } = await installPrompt.prompt();
  installPrompt = null;
  return outcome === "accepted";
}

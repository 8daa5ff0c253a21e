// IndexedDB: the session and the last query responses on this device. If a browser provides no database (some private
// windows), both are kept in memory until the page is closed.

/** The app of this page: each keeps a session of its own on the device. */
export const APP = document.documentElement.dataset.app ?? "kpi";

const STORES = ["session", "answers"];
let opening = null;
const memory = Object.fromEntries(STORES.map((name) => [name, new Map()]));

function open() {
  opening ??= new Promise((resolve) => {
    let request;
    try {
      request = indexedDB.open(`waymark-${APP}`, 1);
    } catch {
      resolve(null);
      return;
    }
    request.onupgradeneeded = () => STORES.forEach((name) => request.result.createObjectStore(name));
    request.onsuccess = () => {
      // Another version of the app is waiting to change the database: this page must not block it.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => resolve(null);
  });
  return opening;
}

async function run(storeName, mode, work) {
  const database = await open();
  if (database === null) return undefined;
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(storeName, mode);
    const request = work(transaction.objectStore(storeName));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

/** Returns the value of a key, or undefined. */
export async function read(storeName, key) {
  const value = await run(storeName, "readonly", (store) => store.get(key)).catch(() => undefined);
  return value ?? memory[storeName].get(key);
}

/** Stores a value. If the disk is full it is kept in memory only, and no error is raised. */
export async function write(storeName, key, value) {
  memory[storeName].set(key, value);
  await run(storeName, "readwrite", (store) => store.put(value, key)).catch(() => undefined);
}

/** Deletes the value of a key. */
export async function remove(storeName, key) {
  memory[storeName].delete(key);
  await run(storeName, "readwrite", (store) => store.delete(key)).catch(() => undefined);
}

/** Deletes everything in a store. */
export async function clear(storeName) {
  memory[storeName].clear();
  await run(storeName, "readwrite", (store) => store.clear()).catch(() => undefined);
}

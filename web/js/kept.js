// What is kept on this device, in IndexedDB: the sign-in, and the last answers. Where a browser gives no database
// (some private windows), both live as long as the page.

const STORES = ["session", "answers"];
let opening = null;
const memory = Object.fromEntries(STORES.map((name) => [name, new Map()]));

function open() {
  opening ??= new Promise((resolve) => {
    let request;
    try {
      request = indexedDB.open("waymark-kpi", 1);
    } catch {
      resolve(null);
      return;
    }
    request.onupgradeneeded = () => STORES.forEach((name) => request.result.createObjectStore(name));
    request.onsuccess = () => {
      // Another version of the app wants to change the database: it must not have to wait for this page.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => resolve(null);
  });
  return opening;
}

async function run(store, mode, work) {
  const database = await open();
  if (database === null) return undefined;
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode);
    const request = work(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

/** What is kept under a key, or undefined. */
export async function read(store, key) {
  const found = await run(store, "readonly", (place) => place.get(key)).catch(() => undefined);
  return found ?? memory[store].get(key);
}

/** Keeps a value. A full disk is no reason to stop: then it is kept as long as the page lives. */
export async function keep(store, key, value) {
  memory[store].set(key, value);
  await run(store, "readwrite", (place) => place.put(value, key)).catch(() => undefined);
}

/** Forgets everything of one store. */
export async function wipe(store) {
  memory[store].clear();
  await run(store, "readwrite", (place) => place.clear()).catch(() => undefined);
}

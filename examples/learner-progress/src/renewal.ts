// The last renewal of the session, in IndexedDB: a tab reads there what another has written, in the order of their locks.
import type { Session } from "./session";

/** `of`: the refresh token that was used; `session`: what came of it. */
export interface Renewal {
  of: string;
  session: Session;
}

const STORE = "renewal";

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function inStore<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open("waymark-session", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await result(opening);
  try {
    return await result(work(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

export const lastRenewal = (): Promise<Renewal | undefined> => inStore("readonly", (store) => store.get("last"));
export const keepRenewal = (renewal: Renewal): Promise<unknown> =>
  inStore("readwrite", (store) => store.put(renewal, "last"));
export const forgetRenewal = (): Promise<unknown> => inStore("readwrite", (store) => store.delete("last"));

// The push subscription of this browser (web push).

/** Whether this browser can show notifications while the app is closed. iPhones can once the app is installed. */
export const canNotify = () => "serviceWorker" in navigator && "PushManager" in self && "Notification" in self;

/** Returns the browser's subscription, or null. */
export async function currentSubscription() {
  if (!canNotify()) return null;
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Subscribes with the server's public key; the user has allowed notifications. */
export async function subscribe(publicKey) {
  const { pushManager } = await navigator.serviceWorker.ready;
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
}

/** Ends the subscription, and with it every notification on this browser. */
export async function unsubscribe() {
  await (await currentSubscription())?.unsubscribe();
}

/** Whether a subscription was made with this public key. */
export function wasMadeWith(subscription, publicKey) {
  const made = new Uint8Array(subscription.options.applicationServerKey);
  const text = btoa(String.fromCharCode(...made)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return text === publicKey;
}

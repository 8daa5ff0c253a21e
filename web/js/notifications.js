// Notifications on this device: what waits for the user, also while the app is closed.

import { mutate } from "./graphql.js";
import { NOTIFICATIONS } from "./operations.js";
import { canNotify, currentSubscription, subscribe, unsubscribe, wasMadeWith } from "./push_device.js";
import { refresh } from "./query_cache.js";
import { session, withToken } from "./session.js";

// The key in localStorage of the user whose notifications this browser shows. They continue when the same user signs in
// again, and end when another one does.
const OWNER = "waymark-notifications";

/** Starts notifications on this device. Returns {} or {message} that says why not. */
export async function startNotifications(publicKey) {
  if ((await Notification.requestPermission()) !== "granted") {
    return {
      message: "This browser does not allow notifications from Waymark. Allow them in its settings, and try again.",
    };
  }
  let subscription;
  try {
    subscription = await subscribe(publicKey);
  } catch {
    return { message: "This browser could not set up notifications. Check its connection, and try again." };
  }
  const message = await add(subscription);
  if (message) {
    await unsubscribe();
    return { message };
  }
  localStorage.setItem(OWNER, session.viewer.id);
  return {};
}

/** Ends notifications on this device. Returns {} or {message}. */
export async function stopNotifications() {
  const subscription = await currentSubscription();
  localStorage.removeItem(OWNER);
  if (!subscription) return {};
  const { endpoint } = subscription;
  await unsubscribe();
  const { pushSubscriptionRemove } = await withToken((token) =>
    mutate("push_subscription_remove", { endpoint }, token),
  );
  return pushSubscriptionRemove.errors[0] ?? {};
}

/** Continues the notifications of this device with the new session, or ends those of another user. */
export async function keepNotifications() {
  const subscription = await currentSubscription().catch(() => null);
  if (!subscription || session === null) return;
  if (localStorage.getItem(OWNER) !== session.viewer.id) {
    await unsubscribe();
    return;
  }
  const entry = await refresh(NOTIFICATIONS);
  // There is none after a sign-out meanwhile.
  if (!entry?.data.viewer.pushPublicKey) return;
  const { pushPublicKey, pushSubscriptions } = entry.data.viewer;
  if (!wasMadeWith(subscription, pushPublicKey)) {
    // The operator has changed the keys.
    await subscription.unsubscribe();
    await add(await subscribe(pushPublicKey));
  } else if (!pushSubscriptions.some((each) => each.endpoint === subscription.endpoint && each.ofThisSession)) {
    await add(subscription);
  }
}

/** Returns whether this browser shows the user's notifications. `viewer`: the response of `notification_settings`. */
export async function isNotified(viewer) {
  const subscription = canNotify() ? await currentSubscription() : null;
  return viewer.pushSubscriptions.some((each) => each.endpoint === subscription?.endpoint);
}

/** Returns the message that says why the server did not take the subscription, or null. */
async function add(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  const input = { endpoint, p256dh: keys.p256dh, auth: keys.auth };
  const { pushSubscriptionAdd } = await withToken((token) => mutate("push_subscription_add", { input }, token));
  return pushSubscriptionAdd.errors[0]?.message ?? null;
}

// The section of the Account screen about notifications: on or off on this device, and the kinds of work.

import { notice } from "../components.js";
import { h } from "../dom.js";
import { labelOf, TASK_KINDS } from "../format.js";
import { mutate, OfflineError } from "../graphql.js";
import { isNotified, startNotifications, stopNotifications } from "../notifications.js";
import { NOTIFICATIONS } from "../operations.js";
import { canNotify } from "../push_device.js";
import { cached, refresh, updateEntry } from "../query_cache.js";
import { withToken } from "../session.js";

const OFFLINE = "There is no connection to Waymark at the moment. Try again once you are connected.";
// `chosen`: the kinds that the user has just chosen, until the server has them.
const state = { on: null, busy: false, error: null, chosen: null };

/** Reads whether this browser shows notifications, when the screen is entered. */
export function enterNotifications(app) {
  Object.assign(state, { on: null, busy: false, error: null, chosen: null });
  if (canNotify()) readState(app);
}

async function readState(app) {
  const entry = await refresh(NOTIFICATIONS).catch(() => cached(NOTIFICATIONS));
  // There is none after a sign-out meanwhile.
  if (!entry) return;
  state.on = await isNotified(entry.data.viewer);
  app.draw();
}

/** Returns the section, or null in a browser without notifications and where the server sends none. */
export function notifications(app) {
  const viewer = cached(NOTIFICATIONS)?.data.viewer;
  if (!canNotify() || !viewer?.pushPublicKey || state.on === null) return null;
  return h(
    "section",
    { class: "card", "aria-labelledby": "notifications-heading", key: "notifications" },
    h("h2", { id: "notifications-heading" }, "Notifications"),
    h(
      "p",
      { class: "note" },
      state.on
        ? "This device shows what waits for you, also while the app is closed. Signing out ends this."
        : "This device can show what waits for you, also while the app is closed. Notifications contain no names.",
    ),
    state.error && notice("bad", h("p", {}, state.error)),
    h(
      "button",
      {
        type: "button",
        class: state.on ? null : "button",
        "aria-disabled": state.busy ? "true" : null,
        onclick: () => change(app, viewer),
      },
      state.on ? "Stop notifying on this device" : "Notify me on this device",
    ),
    state.on && choice(app, viewer),
  );
}

function change(app, { pushPublicKey }) {
  return run(app, async () => {
    const { message } = await (state.on ? stopNotifications() : startNotifications(pushPublicKey));
    return message;
  });
}

function choice(app, { notificationSettings, taskCounts }) {
  const pushFor = state.chosen ?? notificationSettings.pushFor;
  const offered = taskCounts.map(({ kind }) => kind).filter((kind) => Object.hasOwn(TASK_KINDS, kind));
  return h(
    "fieldset",
    { class: "field" },
    h("legend", {}, "Notify me about"),
    offered.map((kind) =>
      h(
        "label",
        { class: "tick", key: kind },
        h("input", {
          type: "checkbox",
          "data-set": true,
          checked: pushFor.includes(kind),
          onchange: ({ target }) => {
            const others = pushFor.filter((each) => each !== kind);
            choose(app, target.checked ? [...others, kind] : others);
          },
        }),
        h("span", {}, labelOf(TASK_KINDS, kind)),
      ),
    ),
  );
}

function choose(app, pushFor) {
  if (!state.busy) state.chosen = pushFor;
  return run(app, async () => {
    const { notificationSettingsUpdate } = await withToken((token) =>
      mutate("notification_settings_update", { pushFor }, token),
    );
    const [error] = notificationSettingsUpdate.errors;
    if (error) return error.message;
    const { notificationSettings } = notificationSettingsUpdate.viewer;
    updateEntry(NOTIFICATIONS, {}, ({ viewer }) => ({ viewer: { ...viewer, notificationSettings } }));
    return undefined;
  });
}

/** Runs `work()`, which returns the message of an error, and shows how it ended. */
async function run(app, work) {
  if (state.busy) return;
  Object.assign(state, { busy: true, error: null });
  app.draw();
  try {
    state.error = (await work()) ?? null;
  } catch (error) {
    state.error = error instanceof OfflineError ? OFFLINE : error.message;
  }
  await readState(app);
  Object.assign(state, { busy: false, chosen: null });
  app.draw();
}

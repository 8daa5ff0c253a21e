// What others have changed, for screen readers: changes that come together are announced together.

import { announceChange } from "./dom.js";

// The streams send what they know of one change at nearly the same moment (ms).
const DELAY = 500;
let timer = null;
// The messages that wait, by what they are about: a later one replaces an earlier one.
const waiting = new Map();

/** Announces a change by somebody else, with others that come at the same time. */
export function announceSoon(about, message) {
  waiting.set(about, message);
  timer ??= setTimeout(() => {
    const message = [...waiting.values()].join(" ");
    forgetAnnouncements();
    announceChange(message);
  }, DELAY);
}

/** Forgets what waits: it was meant for the user who was signed in. */
export function forgetAnnouncements() {
  clearTimeout(timer);
  timer = null;
  waiting.clear();
}

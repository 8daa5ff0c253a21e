// The app: routing, drawing the current screen, loading its data, and following live changes.

import { announceSoon, forgetAnnouncements } from "./announcements.js";
import { announce, h, patch } from "./dom.js";
import { count } from "./format.js";
import { OfflineError } from "./graphql.js";
import { registerServiceWorker } from "./installation.js";
import { layout } from "./layout.js";
import { keepNotifications } from "./notifications.js";
import { HOME, single, TASKS, updateLearner } from "./operations.js";
import { pullToRefresh } from "./pull_to_refresh.js";
import { cached, updateEntry } from "./query_cache.js";
import { addressOfLink, parseRoute } from "./routes.js";
import { restoreSession, session } from "./session.js";
import { isLive, subscribe } from "./subscriptions.js";
import * as account from "./views/account.js";
import * as actions from "./views/actions.js";
import * as document_ from "./views/document.js";
import * as documents from "./views/documents.js";
import * as evidence from "./views/evidence.js";
import * as firstSteps from "./views/first_steps.js";
import * as learner from "./views/learner.js";
import * as learners from "./views/learners.js";
import * as overview from "./views/overview.js";
import * as review from "./views/review.js";
import * as severalDocuments from "./views/several_documents.js";
import * as signIn from "./views/sign_in.js";
import * as time from "./views/time.js";
import * as unit from "./views/unit.js";
import * as upload from "./views/upload.js";
import * as visits from "./views/visits.js";

const VIEWS = {
  "": overview, learners, learner, actions, visits, time, documents, document: document_,
  "several-documents": severalDocuments, review, unit, evidence, upload, account,
};
const ROOT = document.getElementById("app");
// Changes come in bursts: reloads within this time (ms) are combined into one.
const RELOAD_DELAY = 250;
// How often (ms) "5 minutes ago" is updated.
const REDRAW_INTERVAL = 30_000;

/** State that the screens share. `offline`: the last request found no server; `error`: the message of a rejected
 * one; `endReason`: why the last session ended; `confirmation`: what the user has just done; `listAddress`: the
 * address of the list of learners with the filters that the user chose last. */
export const app = {
  route: { name: "", id: null, section: "", params: new URLSearchParams() },
  offline: false,
  error: null,
  refreshing: false,
  activateNewVersion: null,
  endReason: null,
  confirmation: null,
  confirmationIsNew: false,
  listAddress: "#/learners",
  draw,
  load,
  done,
};

/** Shows on another screen that something was done. */
function done(message, hash) {
  Object.assign(app, { confirmation: message, confirmationIsNew: true });
  if (location.hash === hash) showRoute();
  else location.hash = hash;
  announce(message);
}

function view() {
  if (session === null) return signIn;
  const { mustChangePassword, mustAcceptDisclaimer, mustSetUpSecondFactor } = session.viewer;
  return mustChangePassword || mustAcceptDisclaimer || mustSetUpSecondFactor ? firstSteps : VIEWS[app.route.name];
}

// Every screen shows the number of documents to sign.
const HOME_QUERY = single(HOME);
const isSignedIn = () => session !== null && view() !== firstSteps;
const queries = () => (isSignedIn() ? [...view().queries(app.route), HOME_QUERY] : []);

/** Draws the current screen with the data in memory. */
function draw() {
  const current = view();
  document.title = `${current.title(app)} · Waymark`;
  const main = h(
    "main",
    { id: "main", tabindex: "-1", key: `${current.name} ${app.route.id ?? ""}`, class: `screen ${current.name}` },
    current.show(app),
  );
  patch(ROOT, isSignedIn() ? layout(app, main, updatedAt()) : [main]);
  const waiting = cached(HOME)?.data.viewer.awaitingSignatureCount ?? 0;
  if (session && waiting) navigator.setAppBadge?.(waiting).catch(() => undefined);
  else navigator.clearAppBadge?.().catch(() => undefined);
}

/** Returns the time (ms) of the oldest data on the screen, or null if some of it is missing. */
function updatedAt() {
  const times = queries().map((query) => query.at());
  return times.every(Boolean) ? Math.min(...times) : null;
}

/** Refreshes the screen's data. `announceResult`: the user requested it, so screen readers announce the result. */
async function load({ announceResult = false } = {}) {
  const needed = queries();
  if (needed.length === 0) return;
  app.refreshing = true;
  draw();
  // Each answer is shown as it arrives: none waits for the others, nor for the pages after it.
  const outcomes = await Promise.allSettled(needed.map((query) => query.refresh(draw).then(draw)));
  const errors = outcomes.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  const wasOffline = app.offline;
  // The device may have gone offline while the last response was on its way.
  app.offline = errors.some((error) => error instanceof OfflineError) || navigator.onLine === false;
  const rejection = errors.find((error) => !(error instanceof OfflineError) && error.code !== "UNAUTHENTICATED");
  app.error = rejection ? rejection.message : null;
  app.refreshing = false;
  draw();
  if (app.offline && (announceResult || !wasOffline)) announce("You are offline. You see the last figures.");
  else if (rejection) announce(rejection.message);
  else if (announceResult || wasOffline) announce("Up to date.");
}

let reloadTimer = null;
function loadSoon() {
  clearTimeout(reloadTimer);
  reloadTimer = setTimeout(() => load(), RELOAD_DELAY);
}

// Scroll positions by history entry, so that going back returns to where the user was.
const scrollPositions = new Map();
let entryCount = history.state?.seen ?? 0;

async function showRoute() {
  const known = history.state?.seen;
  if (app.route.entry !== undefined) scrollPositions.set(app.route.entry, scrollY);
  // The link of an e-mail is replaced by the address of its record.
  const target = addressOfLink(location.hash);
  if (target) history.replaceState(history.state, "", target);
  app.route = { ...parseRoute(location.hash, Object.keys(VIEWS)), entry: known ?? ++entryCount };
  if (app.confirmationIsNew) app.confirmationIsNew = false;
  else app.confirmation = null;
  if (app.route.name === "learners") app.listAddress = location.hash;
  if (!known) history.replaceState({ seen: app.route.entry }, "");
  view().enter?.(app);
  await Promise.all(queries().map((query) => query.restore()));
  draw();
  scrollTo(0, (known && scrollPositions.get(known)) || 0);
  load();
}

async function navigateAndFocus() {
  await showRoute();
  (ROOT.querySelector("h1") ?? ROOT.querySelector("main")).focus({ preventScroll: true });
}

const SUBSCRIPTIONS = {
  kpis_live({ kpisChanged }) {
    const viewer = cached(HOME)?.data.viewer;
    const { generatedAt, awaitingSignatureCount, progress, ...counts } = kpisChanged;
    const unchanged =
      viewer &&
      viewer.awaitingSignatureCount === awaitingSignatureCount &&
      Object.entries(counts).every(([name, value]) => viewer.kpis[name] === value) &&
      Object.entries(progress).every(([name, value]) => viewer.kpis.progress[name] === value);
    if (unchanged) return;
    if (viewer) announceSoon("figures", "The figures have changed.");
    updateEntry(HOME, {}, ({ viewer }) => {
      const kpis = { ...viewer.kpis, ...counts, progress: { ...viewer.kpis.progress, ...progress } };
      return { viewer: { ...viewer, awaitingSignatureCount, kpis } };
    });
    draw();
    // The event has only some of the fields, and no learners who were added or removed.
    loadSoon();
  },
  learner_changed({ learnerChanged }) {
    const isListed = updateLearner(learnerChanged);
    draw();
    announceSoon(learnerChanged.id, `${learnerChanged.name}: something has changed.`);
    // The list has all that it shows; the other screens show more than the event contains.
    if (!isListed || app.route.name !== "learners") loadSoon();
  },
  tasks_live({ tasksChanged }) {
    const before = new Map(cached(TASKS)?.data.viewer.taskCounts.map(({ kind, count }) => [kind, count]));
    const changes = tasksChanged.map(({ kind, count }) => count - (before.get(kind) ?? 0));
    if (before.size === 0 || !changes.some(Boolean)) return;
    const more = changes.filter((change) => change > 0).reduce((sum, change) => sum + change, 0);
    announceSoon("tasks", more ? `Needs you: ${count(more, "new task")}.` : "Fewer tasks need you now.");
    updateEntry(TASKS, {}, ({ viewer }) => ({ viewer: { ...viewer, taskCounts: tasksChanged } }));
    draw();
    // The event has numbers only, and the list of this screen has names.
    if (app.route.name === "") loadSoon();
  },
};

let unsubscribe = null;
function closeStreams() {
  unsubscribe?.();
  unsubscribe = null;
}

/** Opens the event streams while a signed-in user looks at the page, and closes them otherwise. */
function updateStreams() {
  const wanted = isSignedIn() && document.visibilityState === "visible";
  if (wanted && !unsubscribe) {
    unsubscribe = subscribe(SUBSCRIPTIONS, () => {
      // Changes while a stream was down were not received.
      if (isLive()) loadSoon();
      draw();
    });
  } else if (!wanted) {
    closeStreams();
  }
}

let signedInUser = null;
let lastUser = null;
function sessionChanged(endReason = null) {
  app.endReason = endReason;
  const user = isSignedIn() ? session.viewer.id : null;
  if (user !== signedInUser) {
    closeStreams();
    forgetAnnouncements();
    signedInUser = user;
    app.error = null;
    // After a sign-out the next user starts at the first screen. A user whose session has ended returns to where they
    // were.
    const another = user !== null && lastUser !== null && user !== lastUser;
    if (location.hash && (another || (session === null && !endReason))) {
      history.replaceState(null, "", location.pathname);
      lastUser = null;
    }
    lastUser = user ?? lastUser;
    navigateAndFocus();
    if (user) keepNotifications().catch(() => undefined);
  } else {
    draw();
  }
  updateStreams();
}

addEventListener("hashchange", navigateAndFocus);
addEventListener("online", () => {
  // The streams are opened again at once, not after their retry delay.
  closeStreams();
  updateStreams();
  load();
});
addEventListener("offline", () => {
  app.offline = true;
  draw();
});
document.addEventListener("visibilitychange", () => {
  updateStreams();
  if (document.visibilityState === "visible") load();
  else draw();
});
setInterval(() => document.visibilityState === "visible" && draw(), REDRAW_INTERVAL);

history.scrollRestoration = "manual";
await restoreSession(sessionChanged);
signedInUser = isSignedIn() ? session.viewer.id : null;
lastUser = signedInUser;
pullToRefresh(() => isSignedIn() && load({ announceResult: true }));
await showRoute();
updateStreams();
if (signedInUser) keepNotifications().catch(() => undefined);
// A notification was clicked.
navigator.serviceWorker?.addEventListener("message", ({ data }) => {
  if (data?.open) location.hash = `#/open/${data.open}`;
});
registerServiceWorker((activate) => {
  app.activateNewVersion = activate;
  draw();
});

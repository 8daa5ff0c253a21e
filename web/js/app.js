// The app: which screen is shown, what it needs, and when that is asked for again.

import { amend, amendNode, at, recall, refresh } from "./answers.js";
import { h, lay, say } from "./dom.js";
import { frame } from "./frame.js";
import { Offline } from "./graph.js";
import { follow, live } from "./live.js";
import { GLANCE, LEARNERS, learnersOf } from "./needs.js";
import { pullToRefresh } from "./pull.js";
import { resume, session } from "./session.js";
import { offerNewVersion } from "./shell.js";
import * as account from "./views/account.js";
import * as document_ from "./views/document.js";
import * as documents from "./views/documents.js";
import * as firstSteps from "./views/first_steps.js";
import * as glance from "./views/glance.js";
import * as learner from "./views/learner.js";
import * as learners from "./views/learners.js";
import * as signIn from "./views/sign_in.js";

const VIEWS = { "": glance, learners, learner, documents, document: document_, account };
const PLACE = document.getElementById("app");
// Changes come in bursts; what they ask for is asked once.
const GATHER = 250;

/** What the screens share. `offline`: the last try found no server; `trouble`: a sentence, where it found a refusal. */
export const app = {
  route: { name: "", id: null, asked: new URLSearchParams() },
  offline: false,
  trouble: null,
  refreshing: false,
  newVersion: null,
  ended: null,
  draw,
  load,
  go: (hash) => (location.hash = hash),
};

function routeOf(hash) {
  const [path, asked] = hash.replace(/^#\/?/, "").split("?");
  const [place, id] = path.split("/").map(decodeURIComponent);
  const name = id && place === "learners" ? "learner" : id && place === "documents" ? "document" : place;
  return { name: name in VIEWS ? name : "", id: id ?? null, asked: new URLSearchParams(asked) };
}

function view() {
  if (session === null) return signIn;
  const { mustChangePassword, mustAcceptDisclaimer } = session.viewer;
  return mustChangePassword || mustAcceptDisclaimer ? firstSteps : VIEWS[app.route.name];
}

const inside = () => session !== null && view() !== firstSteps;
const needs = () => (inside() ? view().needs(app.route) : []);

/** Draws what is known now. */
function draw() {
  const shown = view();
  document.title = `${shown.title(app)} · Waymark`;
  const main = h(
    "main",
    { id: "main", tabindex: "-1", key: `${shown.name} ${app.route.id ?? ""}`, class: shown.name },
    shown.show(app),
  );
  lay(PLACE, inside() ? frame(app, main, oldest()) : [main]);
  const waiting = at(GLANCE)?.data.viewer.awaitingSignatureCount ?? 0;
  if (session && waiting) navigator.setAppBadge?.(waiting).catch(() => undefined);
  else navigator.clearAppBadge?.().catch(() => undefined);
}

/** When the oldest of what is shown was last true (ms), or null. */
function oldest() {
  const moments = [...needs(), ALWAYS].map((need) => need.at());
  return moments.every(Boolean) ? Math.min(...moments) : null;
}

/** Asks again for what the screen shows. `aloud`: the person asked for it and is told how it went. */
async function load({ aloud = false } = {}) {
  const asked = inside() ? [...needs(), ALWAYS] : [];
  if (asked.length === 0) return;
  app.refreshing = true;
  draw();
  const outcomes = await Promise.allSettled(asked.map((need) => need.refresh()));
  const faults = outcomes.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  const wasOffline = app.offline;
  // The device may have gone offline while the last answer was on its way.
  app.offline = faults.some((fault) => fault instanceof Offline) || navigator.onLine === false;
  const refusal = faults.find((fault) => !(fault instanceof Offline) && fault.code !== "UNAUTHENTICATED");
  app.trouble = refusal ? refusal.message : null;
  app.refreshing = false;
  draw();
  if (app.offline && (aloud || !wasOffline)) say("You are offline. This is the last answer.");
  else if (refusal) say(refusal.message);
  else if (aloud || wasOffline) say("Up to date.");
}

// The number on the icon stands on every screen.
const ALWAYS = { recall: () => recall(GLANCE), refresh: () => refresh(GLANCE), at: () => at(GLANCE)?.at };

let gathering = null;
function loadSoon() {
  clearTimeout(gathering);
  gathering = setTimeout(() => load(), GATHER);
}

async function arrive() {
  // One that was seen before is come back to where it was left.
  const seen = history.state?.seen;
  if (app.route.top !== undefined) tops.set(app.route.top, scrollY);
  app.route = { ...routeOf(location.hash), top: seen ?? ++entries };
  if (!seen) history.replaceState({ seen: app.route.top }, "");
  view().arrive?.(app);
  await Promise.all([...needs(), ...(inside() ? [ALWAYS] : [])].map((need) => need.recall()));
  draw();
  scrollTo(0, (seen && tops.get(seen)) || 0);
  load();
}
let entries = history.state?.seen ?? 0;
const tops = new Map();

async function moveTo() {
  await arrive();
  (PLACE.querySelector("h1") ?? PLACE.querySelector("main")).focus({ preventScroll: true });
}

const LIVE = {
  kpis_live({ kpisChanged }) {
    const known = at(GLANCE)?.data.viewer;
    const { generatedAt, awaitingSignatureCount, progress, ...numbers } = kpisChanged;
    const same =
      known &&
      known.awaitingSignatureCount === awaitingSignatureCount &&
      Object.entries(numbers).every(([name, value]) => known.kpis[name] === value) &&
      Object.entries(progress).every(([name, value]) => known.kpis.progress[name] === value);
    if (same) return;
    amend(GLANCE, {}, ({ viewer }) => {
      const kpis = { ...viewer.kpis, ...numbers, progress: { ...viewer.kpis.progress, ...progress } };
      return { viewer: { ...viewer, awaitingSignatureCount, kpis } };
    });
    draw();
    // The rest of the screen, and who came or went, is more than the stream tells.
    loadSoon();
  },
  learner_changed({ learnerChanged }) {
    const listed = amendNode(LEARNERS, learnersOf, learnerChanged);
    draw();
    if (!listed || app.route.id === learnerChanged.id || app.route.name.startsWith("document")) loadSoon();
  },
};

let unfollow = null;
function attend() {
  const wanted = inside() && document.visibilityState === "visible";
  if (wanted && !unfollow) {
    unfollow = follow(LIVE, () => {
      // What happened while a stream was down, nobody told.
      if (live()) loadSoon();
      draw();
    });
  } else if (!wanted && unfollow) {
    unfollow();
    unfollow = null;
  }
}

let signedInAs = null;
function sessionChanged(why = null) {
  app.ended = why;
  const now = inside() ? session.viewer.id : null;
  if (now !== signedInAs) {
    unfollow?.();
    unfollow = null;
    signedInAs = now;
    app.trouble = null;
    if (session === null && location.hash) history.replaceState(null, "", location.pathname);
    moveTo();
  } else {
    draw();
  }
  attend();
}

addEventListener("hashchange", moveTo);
addEventListener("online", () => {
  // The streams are opened anew at once, rather than when their pause is over.
  unfollow?.();
  unfollow = null;
  attend();
  load();
});
addEventListener("offline", () => {
  app.offline = true;
  draw();
});
document.addEventListener("visibilitychange", () => {
  attend();
  if (document.visibilityState === "visible") load();
  else draw();
});
// How long ago it was goes on by itself.
setInterval(() => document.visibilityState === "visible" && draw(), 30_000);

history.scrollRestoration = "manual";
await resume(sessionChanged);
signedInAs = inside() ? session.viewer.id : null;
pullToRefresh(() => inside() && load({ aloud: true }));
await arrive();
attend();
offerNewVersion((reload) => {
  app.newVersion = reload;
  draw();
});

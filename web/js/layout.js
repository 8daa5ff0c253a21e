// The layout around every screen: navigation with the number of documents to sign, data freshness, messages.

import { icon, notice } from "./components.js";
import { h } from "./dom.js";
import { ago, count, pastTime } from "./format.js";
import { HOME } from "./operations.js";
import { cached } from "./query_cache.js";
import { isLive } from "./subscriptions.js";

// Path, label, icon, and the names of the screens that belong to it.
const SECTIONS = [
  ["", "Overview", "overview", ["", "actions", "visits", "time"]],
  ["learners", "Learners", "learners", ["learners", "learner", "unit", "evidence", "upload", "review"]],
  ["documents", "To sign", "sign", ["documents", "document", "several-documents"]],
];

/** Returns the page's elements around `main`; `updatedAt` is the time (ms) of its oldest data, or null. */
export function layout(app, main, updatedAt) {
  return [
    h("a", { class: "skip", href: "#main", onclick: skipToContent }, "Skip to the content"),
    h(
      "header",
      {},
      h(
        "a",
        { class: "brand", href: "#/" },
        h("img", { src: "icons/icon.svg", alt: "", width: 32, height: 32 }),
        "Waymark",
      ),
      navigation(app),
      h(
        "a",
        {
          class: "account-link",
          href: "#/account",
          "aria-label": "Your account",
          title: "Your account",
          "aria-current": app.route.name === "account" ? "page" : null,
        },
        icon("person"),
      ),
    ),
    freshness(app, updatedAt),
    messages(app),
    main,
  ].filter(Boolean);
}

function messages({ activateNewVersion, error, confirmation }) {
  if (!activateNewVersion && !error && !confirmation) return null;
  return h(
    "section",
    { "aria-label": "Messages" },
    activateNewVersion &&
      notice(
        "plain",
        h("p", {}, "A new version of this app is ready."),
        h("button", { type: "button", onclick: activateNewVersion }, "Use it now"),
      ),
    error && notice("bad", h("p", {}, error)),
    confirmation && notice("good", h("p", {}, icon("tick"), confirmation)),
  );
}

function skipToContent(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function navigation(app) {
  const waiting = cached(HOME)?.data.viewer.awaitingSignatureCount ?? 0;
  return h(
    "nav",
    { "aria-label": "Main" },
    h(
      "ul",
      {},
      SECTIONS.map(([path, label, iconName, screens]) => {
        const number = path === "documents" ? waiting : 0;
        return h(
          "li",
          {},
          h(
            "a",
            {
              href: `#/${path}`,
              "aria-current":
                screens[0] === app.route.name ? "page" : screens.includes(app.route.name) ? "true" : null,
            },
            h(
              "span",
              { class: number ? "nav-icon attention" : "nav-icon" },
              icon(iconName),
              number > 0 && h("span", { class: "badge", "aria-hidden": "true" }, number > 99 ? "99+" : `${number}`),
            ),
            h(
              "span",
              {},
              label,
              number > 0 && h("span", { class: "visually-hidden" }, `${count(number, "document")} waiting`),
            ),
          ),
        );
      }),
    ),
  );
}

/** Shows how old the data is, with a button that refreshes it. */
function freshness(app, updatedAt) {
  let text = "Not loaded yet";
  if (app.offline) text = updatedAt ? `Offline. Last updated ${pastTime(updatedAt)}, ${ago(updatedAt)}` : "Offline";
  else if (app.refreshing && !updatedAt) text = "Loading";
  else if (updatedAt) text = isLive() ? "Live" : `Updated ${pastTime(updatedAt)}`;
  const state = app.offline ? "offline" : isLive() ? "live" : "not-live";
  return h(
    "section",
    { class: `freshness ${state}`, "aria-label": "Last update" },
    h(
      "p",
      {},
      h("span", { class: "dot", "aria-hidden": "true" }),
      h("span", {}, text, !app.offline && isLive() && updatedAt && `, checked ${pastTime(updatedAt)}`),
    ),
    h(
      "button",
      {
        type: "button",
        class: app.refreshing ? "refresh turning" : "refresh",
        onclick: () => app.load({ announceResult: true }),
      },
      icon("refresh"),
      "Refresh",
    ),
  );
}

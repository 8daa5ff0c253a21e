// What stands around every screen: name, places to go, the number on the icon, and how old the numbers are.

import { at } from "./answers.js";
import { h } from "./dom.js";
import { live } from "./live.js";
import { GLANCE } from "./needs.js";
import { icon, notice } from "./parts.js";
import { ago, count, moment } from "./words.js";

const PLACES = [
  ["", "At a glance", "glance", ["", "account"]],
  ["learners", "Learners", "learners", ["learners", "learner"]],
  ["documents", "To sign", "sign", ["documents", "document"]],
];

/** The page around `main`; `asOf` is the moment (ms) of the oldest thing on it, or null. */
export function frame(app, main, asOf) {
  return [
    h("a", { class: "skip", href: "#main", onclick: skip }, "Skip to the content"),
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
    freshness(app, asOf),
    messages(app),
    main,
  ].filter(Boolean);
}

function messages({ newVersion, trouble }) {
  if (!newVersion && !trouble) return null;
  return h(
    "section",
    { "aria-label": "Messages" },
    newVersion &&
      notice(
        "plain",
        h("p", {}, "A new version of this app is ready."),
        h("button", { type: "button", onclick: newVersion }, "Use it now"),
      ),
    trouble && notice("bad", h("p", {}, trouble)),
  );
}

function skip(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function navigation(app) {
  const waiting = at(GLANCE)?.data.viewer.awaitingSignatureCount ?? 0;
  return h(
    "nav",
    { "aria-label": "Main" },
    h(
      "ul",
      {},
      PLACES.map(([path, word, drawing, names]) => {
        const number = path === "documents" ? waiting : 0;
        return h(
          "li",
          {},
          h(
            "a",
            {
              href: `#/${path}`,
              "aria-label": number > 0 ? `${word}, ${count(number, "document")} waiting` : null,
              "aria-current":
                names[0] === app.route.name ? "page" : names.includes(app.route.name) && path ? "true" : null,
            },
            h(
              "span",
              { class: number ? "place calls" : "place" },
              icon(drawing),
              number > 0 && h("span", { class: "badge", "aria-hidden": "true" }, number > 99 ? "99+" : `${number}`),
            ),
            h("span", { class: "place-name" }, word),
          ),
        );
      }),
    ),
  );
}

/** How old what is shown is, and the button that asks again. */
function freshness(app, asOf) {
  let words = "Not loaded yet";
  if (app.offline) words = asOf ? `Offline. Last answer from ${moment(asOf)}, ${ago(asOf)}` : "Offline";
  else if (app.refreshing && !asOf) words = "Loading";
  else if (asOf) words = live() ? "Live" : `Updated ${moment(asOf)}`;
  const state = app.offline ? "off" : live() ? "live" : "still";
  return h(
    "section",
    { class: `freshness ${state}`, "aria-label": "How current this is" },
    h(
      "p",
      {},
      h("span", { class: "dot", "aria-hidden": "true" }),
      h("span", {}, words, !app.offline && live() && asOf && `, checked ${moment(asOf)}`),
    ),
    h(
      "button",
      {
        type: "button",
        class: app.refreshing ? "refresh turning" : "refresh",
        onclick: () => app.load({ aloud: true }),
      },
      icon("refresh"),
      "Refresh",
    ),
  );
}

// Components that several screens use: traffic lights, bars, icons, messages, form fields.

import { h, svg } from "./dom.js";
import { CRITERION_STATUSES, ENDED, percent, statusStyle, TRAFFIC_LIGHTS } from "./format.js";

const ICONS = {
  overview: "M4 13h7V4H4zM13 20h7v-9h-7zM4 20h7v-5H4zM13 4v5h7V4z",
  learners:
    "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 20c0-3.9 3.1-6 7-6s7 2.1 7 6M16 3.6a4 4 0 0 1 0 6.8" +
    "M18 14.6c2.4.8 4 2.6 4 5.4",
  sign: "M4 20h16M5 15.5 15.5 5a2.1 2.1 0 0 1 3 3L8 18.5 4 19.5z",
  person: "M12 12a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM4 21c0-4.4 3.6-6.5 8-6.5s8 2.1 8 6.5",
  refresh: "M20 5v5h-5M4 19v-5h5M19.5 10A8 8 0 0 0 5.6 7.3L4 9M4.5 14a8 8 0 0 0 13.9 2.7L20 15",
  calendar: "M4 6h16v14H4zM4 10.5h16M8.5 3v5M15.5 3v5",
  back: "M14.5 5.5 8 12l6.5 6.5",
  forward: "M9.5 5.5 16 12l-6.5 6.5",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  download: "M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 20 20",
  tick: "M5 12.5 10 17.5 19 7",
  camera: "M3 8h4l2-3h6l2 3h4v12H3zM12 17a4 4 0 1 0 0-8 4 4 0 0 0 0 8z",
  upload: "M12 15V4M7.5 8.5 12 4 16.5 8.5M5 20h14",
  trend: "M3 6l6 7 4-4 8 9M21 12v6h-6",
  words: "M4 5h16v11H9l-5 4z",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7.5V12l3 2",
};

/** A decorative icon, hidden from screen readers: its meaning is always in the text beside it. */
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

const SHAPES = {
  down: () => svg("path", { d: "M2 3.5h8L6 10z" }),
  up: () => svg("path", { d: "M2 8.5h8L6 2z" }),
  level: () => svg("circle", { cx: 6, cy: 6, r: 3.8 }),
  none: () => svg("path", { d: "M2.5 5h7v2h-7z" }),
  ring: () =>
    svg("path", { d: "M6 1.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8m0 1.7a2.7 2.7 0 1 1 0 5.4 2.7 2.7 0 0 1 0-5.4" }),
  half: () => svg("path", { d: "M6 1.6a4.4 4.4 0 1 0 0 8.8 4.4 4.4 0 0 0 0-8.8m0 1.7v5.4a2.7 2.7 0 0 1 0-5.4" }),
  tick: () => svg("path", { d: "M4.8 9.9 1.6 6.7l1.3-1.3 1.9 1.9 4.3-4.6 1.3 1.2z" }),
};

/** A shape that stands for a colour, for users who cannot tell the colours apart. */
export function shape(name) {
  return svg("svg", { class: "shape", viewBox: "0 0 12 12", "aria-hidden": "true" }, SHAPES[name]());
}

function pill({ label, tone, shape: name }) {
  return h("span", { class: `pill ${tone}` }, shape(name), label);
}

/** An aim's traffic light as colour, shape and text; of one that is not in training, its status. */
export const trafficLight = ({ status, trafficLight: code }) =>
  pill(Object.hasOwn(ENDED, status) ? ENDED[status] : statusStyle(TRAFFIC_LIGHTS, code));

/** A short text with a colour: red, amber, green or grey. */
export const tag = (tone, label) => h("span", { class: `pill ${tone}` }, label);

/** A criterion's status on the progress map as colour, shape and text. */
export const criterionStatus = (code) => pill(statusStyle(CRITERION_STATUSES, code));

/** The three progress bars. `progress`: durationPercent, pastPlannedEnd, mappedPercent, signedOffPercent. */
export function bars(progress, { large = false, average = false } = {}) {
  const late = progress.pastPlannedEnd === true;
  const rows = [
    [
      late ? "red" : "blue",
      average ? "Duration, on average" : late ? "Past end" : "Duration",
      progress.durationPercent,
    ],
    ["orange", "Mapped", progress.mappedPercent],
    ["green", "Signed off", progress.signedOffPercent],
  ];
  return h(
    "dl",
    { class: large ? "bars large" : "bars" },
    rows.map(([tone, label, value]) =>
      h(
        "div",
        {},
        h("dt", {}, label),
        h("dd", { class: `track ${tone}`, "aria-hidden": "true", vars: { "--share": `${Math.min(100, value)}%` } }),
        h("dd", { class: "amount" }, percent(value)),
      ),
    ),
  );
}

/** A message inside the page. `tone`: plain, bad or good. */
export function notice(tone, ...content) {
  return h("div", { class: `notice ${tone}`, role: tone === "bad" ? "alert" : null }, content);
}

/** A labelled input with a hint and an error message. `props` are attributes of the input. */
export function field(label, { id, error, hint, ...props }) {
  const descriptions = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
    h("input", {
      id,
      name: id,
      required: true,
      ...props,
      "aria-invalid": error ? "true" : null,
      "aria-describedby": descriptions || null,
    }),
    error && h("p", { class: "error", id: `${id}-error`, role: "alert" }, error),
  );
}

/** Placeholder cards while data is loading. */
export function loading(cards = 3) {
  return h(
    "div",
    { class: "loading", role: "status" },
    h("span", { class: "visually-hidden" }, "Loading"),
    Array.from({ length: cards }, () => h("div", { class: "card skeleton" })),
  );
}

/** The content of a screen while its data is loading, or the text `missing` where there is none. */
export function unloaded(app, missing = "Nothing has been loaded on this device yet.") {
  return app.refreshing ? loading(3) : h("p", { class: "empty" }, missing);
}

/** A link to the screen one level up. */
export const backLink = (href, label) => h("a", { class: "back", href }, icon("back"), label);

/** A labelled input for several lines. What was typed stays when the page is drawn again. */
export function textArea(label, { id, hint, value = "", ...props }) {
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    hint && h("p", { class: "hint", id: `${id}-hint` }, hint),
    h("textarea", { id, name: id, rows: 4, ...props, "aria-describedby": hint ? `${id}-hint` : null }, value),
  );
}

/** A form that calls `onSubmit(values, form)` unless it is busy; its button is then labelled `busyLabel`. `error`: the
 * message beside the button. */
export function form({ submitLabel, busyLabel, busy, error, onSubmit, ...props }, ...content) {
  return h(
    "form",
    {
      novalidate: true,
      ...props,
      onsubmit: (event) => {
        event.preventDefault();
        if (!busy) onSubmit(Object.fromEntries(new FormData(event.target)), event.target);
      },
    },
    content,
    // Beside the button, so that it is seen by the user who has just pressed it.
    error && h("p", { class: "error", role: "alert" }, error),
    h(
      "button",
      { class: "main", type: "submit", "aria-disabled": busy ? "true" : null },
      busy ? busyLabel : submitLabel,
    ),
  );
}

// The saved operations as a panel of GraphiQL: what each is for, and a click that puts it into the editor.
"use strict";

const samplesPlugin = (samples, open) => {
  const make = React.createElement;
  const icon = () =>
    make("svg", { viewBox: "0 0 20 20", width: "1em", height: "1em", fill: "none", stroke: "currentColor" },
      make("path", { d: "M4 5h12M4 10h12M4 15h8", strokeWidth: 1.6, strokeLinecap: "round" }));
  const entry = (sample) =>
    make("li", { key: sample.name },
      make("button", { type: "button", onClick: () => open(sample) }, sample.name),
      make("p", null, sample.about));
  const content = () =>
    make("section", { className: "samples", "aria-label": "Sample operations" },
      make("div", { className: "graphiql-doc-explorer-title" }, "Sample operations"),
      make("ul", null, samples.map(entry)));
  return { title: "Sample operations", icon, content };
};

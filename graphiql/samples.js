// A GraphiQL plugin: a panel with the saved operations and their descriptions. A click opens one in the editor.
"use strict";

const samplesPlugin = (samples, open) => {
  const element = React.createElement;
  const icon = () =>
    element("svg", { viewBox: "0 0 20 20", width: "1em", height: "1em", fill: "none", stroke: "currentColor" },
      element("path", { d: "M4 5h12M4 10h12M4 15h8", strokeWidth: 1.6, strokeLinecap: "round" }));
  const entry = (sample) =>
    element("li", { key: sample.name },
      element("button", { type: "button", onClick: () => open(sample) }, sample.name),
      element("p", null, sample.about));
  const content = () =>
    element("section", { className: "samples", "aria-label": "Sample operations" },
      element("div", { className: "graphiql-doc-explorer-title" }, "Sample operations"),
      element("ul", null, samples.map(entry)));
  return { title: "Sample operations", icon, content };
};

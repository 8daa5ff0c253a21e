// Draws the charts with Observable Plot, where it is installed; a table is always below.

import { shape } from "/kpi/js/components.js";
import { h } from "/kpi/js/dom.js";
import { describe, fittingCharts, isMean, nameOf } from "./chart_data.js";

const Plot = globalThis.Plot;
const LONGEST_LABEL = 28;
const NUMBER = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });

/** Returns the chart with the controls that choose it. `view`: chart, measure, group; `update` changes it. */
export function chartCard({ columns, rows, view, width, update }) {
  if (!Plot)
    return h("p", { class: "note no-print" }, "Charts are not installed on this server. The table has every value.");
  const charts = fittingCharts(columns, rows);
  if (charts.length === 0) return null;
  const chart = charts.find(({ id }) => id === view.chart) ?? charts[0];
  const choice = {
    measure: chart.measures && (chart.measures.find(({ name }) => name === view.measure) ?? chart.first),
    group: chart.groups && (chart.groups.find(({ name }) => name === view.group) ?? chart.groups[0]),
  };
  const data = chart.data(choice);
  const name = describe(chart, choice, data);
  return h(
    "section",
    { class: "card chart-card", "aria-label": "Chart" },
    h(
      "div",
      { class: "controls no-print" },
      picker("Chart", "chart", charts.map(({ id, label }) => [id, label]), chart.id, update),
      chart.measures &&
        picker(
          "Number",
          "measure",
          chart.measures.map((each) => [each.name, nameOf(each)]),
          choice.measure.name,
          update,
        ),
      chart.groups &&
        picker("By", "group", chart.groups.map((each) => [each.name, each.heading]), choice.group.name, update),
    ),
    h(
      "figure",
      { key: `${chart.id} ${choice.measure?.name} ${choice.group?.name} ${width}` },
      h("figcaption", {}, caption(chart, choice)),
      chart.legend && legend(chart.legend),
      drawn(DRAWINGS[chart.id]({ data, width, chart, choice }), name),
    ),
  );
}

function picker(label, id, options, value, update) {
  return h(
    "div",
    { class: "field" },
    h("label", { for: `view-${id}` }, label),
    h(
      "select",
      { id: `view-${id}`, "data-value": value, onchange: (event) => update({ [id]: event.target.value }) },
      options.map(([name, text]) => h("option", { value: name, selected: name === value }, text)),
    ),
  );
}

function caption(chart, { measure, group }) {
  if (!measure) return chart.label;
  const how = group && measure.name !== "" ? (isMean(measure) ? ", mean" : ", sum") : "";
  return `${nameOf(measure)}${how}${group ? `, by ${group.heading.toLowerCase()}` : ""}`;
}

function legend(entries) {
  return h(
    "ul",
    { class: "legend" },
    entries.map(({ label, tone, shape: name }) => h("li", { class: `pill ${tone}` }, shape(name), label)),
  );
}

function drawn(svg, name) {
  // The policy of the page allows no style element: its rules are in the style sheet.
  svg.querySelector("style")?.remove();
  // An image has one name: those of its parts are not read.
  for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  svg.setAttribute("class", "drawing");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", name);
  return svg;
}

const short = (text) => (text.length > LONGEST_LABEL ? `${text.slice(0, LONGEST_LABEL - 1)}…` : text);
const colour = ({ tone }) => `var(--${tone})`;
const height = (lines) => 56 + 30 * lines;
const marginLeft = (labels, width) =>
  Math.min(12 + 7 * Math.max(...labels.map((label) => short(label).length)), width * 0.45);

const DRAWINGS = {
  areas: ({ data, width, chart }) =>
    Plot.plot({
      width,
      height: 300,
      x: { label: null },
      y: { label: chart.y, grid: true },
      marks: [
        Plot.areaY(
          data,
          Plot.stackY({ x: "x", y: "y", z: "series", fill: colour, order: chart.legend.map(({ label }) => label) }),
        ),
        Plot.ruleY([0]),
      ],
    }),
  lines: ({ data, width, choice }) =>
    Plot.plot({
      width,
      height: 300,
      marginLeft: 56,
      x: { label: null },
      y: { label: choice.measure.unit ?? null, grid: true },
      marks: [
        Plot.lineY(data, { x: "x", y: "y", stroke: "var(--accent)", strokeWidth: 2.5 }),
        Plot.dot(data, { x: "x", y: "y", fill: "var(--accent)", r: data.length > 60 ? 0 : 3 }),
        Plot.ruleY([0]),
      ],
    }),
  stacks: ({ data, width, chart }) => {
    const groups = [...new Set(data.map(({ group }) => group))];
    return Plot.plot({
      width,
      height: height(groups.length),
      marginLeft: marginLeft(groups, width),
      x: { label: chart.y, grid: true },
      y: { label: null, domain: groups, tickFormat: short },
      marks: [
        Plot.barX(data, {
          x: "value",
          y: "group",
          fill: colour,
          stroke: "var(--card)",
          title: ({ group, series, value }) => `${group}, ${series}: ${value}`,
        }),
        Plot.text(
          data,
          Plot.stackX({ x: "value", y: "group", text: ({ value }) => (value ? `${value}` : ""), fill: "var(--card)" }),
        ),
        Plot.ruleX([0]),
      ],
    });
  },
  bars: ({ data, width, choice }) => {
    const groups = data.map(({ group }) => group);
    return Plot.plot({
      width,
      height: height(groups.length),
      marginLeft: marginLeft(groups, width),
      marginRight: 48,
      x: { label: choice.measure.unit ?? null, grid: true },
      y: { label: null, domain: groups, tickFormat: short },
      marks: [
        Plot.barX(data, { x: "value", y: "group", fill: "var(--accent)" }),
        Plot.text(data, {
          x: "value",
          y: "group",
          text: ({ value }) => NUMBER.format(value),
          dx: 4,
          textAnchor: "start",
        }),
        Plot.ruleX([0]),
      ],
    });
  },
  funnel: ({ data, width }) =>
    Plot.plot({
      width,
      height: height(data.length),
      marginLeft: marginLeft(data.map(({ stage }) => stage), width),
      marginRight: 90,
      x: { axis: null },
      y: { label: null, domain: data.map(({ stage }) => stage), tickFormat: short },
      marks: [
        Plot.barX(data, {
          x1: ({ value }) => -value / 2,
          x2: ({ value }) => value / 2,
          y: "stage",
          fill: "var(--accent)",
        }),
        Plot.text(data, {
          x: ({ value }) => value / 2,
          y: "stage",
          text: ({ value, share }) => `${NUMBER.format(value)} (${Math.round(share * 100)}%)`,
          dx: 6,
          textAnchor: "start",
        }),
      ],
    }),
  cells: ({ data, width }) => {
    const units = [...new Set(data.map(({ unit }) => unit))];
    return Plot.plot({
      width,
      height: 40 + 22 * units.length,
      marginLeft: marginLeft(units, width),
      x: { label: null, axis: null },
      y: { label: null, domain: units, tickFormat: short },
      marks: [
        Plot.cell(data, {
          x: "place",
          y: "unit",
          fill: colour,
          inset: 1,
          title: ({ unit, code, series }) => `${unit}, ${code}: ${series}`,
        }),
      ],
    });
  },
};

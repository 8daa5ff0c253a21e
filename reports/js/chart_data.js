// Which charts fit the rows of a report, and the data that each draws.

import { CRITERION_STATUSES, TRAFFIC_LIGHTS } from "/kpi/js/format.js";
import { isNumeric, textOf } from "./values.js";

// Counts of aims by traffic light: the end of a column's name.
const LIGHTS = {
  offTrackCount: TRAFFIC_LIGHTS.OFF_TRACK,
  onTrackCount: TRAFFIC_LIGHTS.ON_TRACK,
  aheadCount: TRAFFIC_LIGHTS.AHEAD,
  notRatedCount: TRAFFIC_LIGHTS.NOT_RATED,
};
const STAGES = {
  aimCount: "All aims",
  startedCount: "Started",
  mappedCount: "Evidence for every criterion",
  completeCount: "Every criterion signed off",
  signedOffCount: "Signed",
};
const MOST_GROUPS = 40;
/** A measure that every report has: how many rows a group has. */
export const ROWS = "";

const endOf = ({ name }) => name.split(".").at(-1);
const byEnd = (columns, end) => columns.find((column) => endOf(column) === end && !column.name.includes("progress."));

/** Returns the charts that fit, the best first: {id, label, measures, groups, data(choice)}. */
export function fittingCharts(columns, rows) {
  if (rows.length === 0) return [];
  const charts = [heatMap, funnel, lightsOverTime, lines, lights, bars].map((chart) => chart(columns, rows));
  return charts.filter(Boolean);
}

function time(columns, rows) {
  const column = columns.find((each) => each.type === "date" && ["day", "month"].includes(endOf(each)));
  return column && rows.length > 1 ? column : null;
}

const lightColumns = (columns) =>
  Object.entries(LIGHTS)
    .map(([end, style]) => ({ column: byEnd(columns, end), ...style }))
    .filter(({ column }) => column);

function lightsOverTime(columns, rows) {
  const [day, found] = [time(columns, rows), lightColumns(columns)];
  if (!day || found.length < 3) return null;
  const data = () =>
    found.flatMap(({ column, label, tone }) =>
      rows.map((row) => ({ x: new Date(row[day.name]), y: row[column.name] ?? 0, series: label, tone })),
    );
  return { id: "areas", label: "Traffic lights over time", legend: found, y: "Aims", data };
}

function lines(columns, rows) {
  const day = time(columns, rows);
  const measures = columns.filter(isNumeric);
  if (!day || measures.length === 0) return null;
  const first = byEnd(columns, "criteriaMapped") ?? measures[0];
  const data = ({ measure }) => rows.map((row) => ({ x: new Date(row[day.name]), y: row[measure.name] }));
  return { id: "lines", label: "One number over time", measures, first, data };
}

function lights(columns, rows) {
  const found = lightColumns(columns);
  const groups = groupsOf(columns, rows);
  if (found.length < 3 || groups.length === 0 || time(columns, rows)) return null;
  const data = ({ group }) =>
    rows.flatMap((row) =>
      found.map(({ column, label, tone }) => ({
        group: textOf(row[group.name], group) || "None",
        value: row[column.name] ?? 0,
        series: label,
        tone,
      })),
    );
  return { id: "stacks", label: "Traffic lights by group", legend: found, groups, y: "Aims", data };
}

function funnel(columns, rows) {
  const found = Object.entries(STAGES).map(([end, label]) => ({ column: byEnd(columns, end), label }));
  if (found.some(({ column }) => !column)) return null;
  const sum = (column) => rows.reduce((total, row) => total + (row[column.name] ?? 0), 0);
  const data = () => {
    const whole = sum(found[0].column);
    return found.map(({ column, label }) => {
      const value = sum(column);
      return { stage: label, value, share: whole ? value / whole : 0 };
    });
  };
  return { id: "funnel", label: "Funnel over all rows", data };
}

function heatMap(columns, rows) {
  const [status, code, unit] = ["criteria.status", "criteria.code", "units.number"].map((end) =>
    columns.find(({ name }) => name.endsWith(end)),
  );
  if (!status || !code || !unit) return null;
  const aim = columns.find(({ name }) => name === "aims.title");
  const several = aim && new Set(rows.map((row) => row[aim.name])).size > 1;
  const data = () => {
    const seen = new Map();
    return rows
      .filter((row) => row[status.name])
      .map((row) => {
        const name = several ? `${row[unit.name]} ${row[aim.name]}` : `${row[unit.name]}`;
        const place = (seen.get(name) ?? 0) + 1;
        seen.set(name, place);
        const style = CRITERION_STATUSES[row[status.name]];
        return { unit: name, place, code: row[code.name], series: style?.label ?? "", tone: style?.tone ?? "grey" };
      });
  };
  const legend = Object.values(CRITERION_STATUSES);
  return { id: "cells", label: "Heat map of criteria", legend, data };
}

function bars(columns, rows) {
  const groups = groupsOf(columns, rows);
  if (groups.length === 0) return null;
  const rowsAre = deepest(columns);
  const measurable = columns.filter(
    (column) => isNumeric(column) && (column.record === rowsAre || ownerOf(column, columns)),
  );
  const measures = [{ name: ROWS, type: "int", label: "Number of rows", record: rowsAre }, ...measurable];
  const first = measures[1] ?? measures[0];
  const data = ({ measure, group }) => {
    const found = new Map();
    const seen = new Set();
    const owner = ownerOf(measure, columns);
    for (const row of rows) {
      const name = textOf(row[group.name], group) || "None";
      const value = measure.name === ROWS ? 1 : row[measure.name];
      if (!found.has(name)) found.set(name, []);
      // Several rows may repeat the value of one record: it counts once.
      const key = owner && JSON.stringify([name, row[owner.name]]);
      if (seen.has(key) || value === null || value === undefined) continue;
      if (key) seen.add(key);
      found.get(name).push(value);
    }
    return [...found]
      .map(([name, values]) => ({ group: name, value: combined(values, measure) }))
      .sort((a, b) => b.value - a.value);
  };
  return { id: "bars", label: "Bars by group", measures, groups, first, data };
}

/** The list of which each row is an entry: the innermost one. */
const deepest = (columns) => columns.reduce((path, { record }) => (record.length > path.length ? record : path), "");

/** Returns the id of the record that has a value which several rows repeat; null where each row has its own. */
function ownerOf({ record }, columns) {
  if (record === deepest(columns)) return null;
  return columns.find(({ name }) => name === (record ? `${record}.id` : "id")) ?? null;
}

/** Whether the values of a group are averaged; others are added up. */
export const isMean = ({ unit, name }) =>
  ["%", "percentage points", "days"].includes(unit) || /[mM]ean/.test(name);

function combined(values, measure) {
  const total = values.reduce((sum, value) => sum + value, 0);
  return isMean(measure) ? (values.length ? total / values.length : 0) : total;
}

/** Returns the columns by which rows can be grouped: texts with 2 to 40 values, ids excluded. */
function groupsOf(columns, rows) {
  const texts = columns.filter(({ type, name }) => ["text", "bool"].includes(type) && !/(^|\.)(id|key)$/.test(name));
  return texts.filter((column) => {
    const values = new Set(rows.map((row) => row[column.name]));
    return values.size > 1 && values.size <= MOST_GROUPS;
  });
}

/** A sentence for screen readers about a chart; the table beside it has every value. */
export function describe(chart, choice, data) {
  const measure = chart.measures ? nameOf(choice.measure) : chart.label;
  const group = chart.groups ? ` by ${choice.group.heading.toLowerCase()}` : "";
  return `${measure}${group}: ${data.length} values, which the table below lists.`;
}

/** The name of a measure, with how it is combined. */
export const nameOf = (measure) => measure.label ?? measure.heading;

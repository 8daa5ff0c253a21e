// Values of a report's columns as text, and their order.

import { dateOnly, day, labelOf, timeOfDay } from "/kpi/js/format.js";

const NUMBER = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
const COLLATOR = new Intl.Collator("en-GB", { numeric: true, sensitivity: "base" });
const CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$|^[A-Z]{4,}$/;

/** Whether a column has numbers. */
export const isNumeric = ({ type }) => type === "int" || type === "float";

/** Whether a column has days or times. */
export const isTime = ({ type }) => type === "date" || type === "datetime";

/** A value as a reader expects it: 1,234 or 3 Mar 2026 or Off track. */
export function textOf(value, { type }) {
  if (value === null || value === undefined) return "";
  if (type === "int" || type === "float") return NUMBER.format(value);
  if (type === "bool") return value ? "Yes" : "No";
  if (type === "date") return dateOnly(value);
  if (type === "datetime") return `${day(value)}, ${timeOfDay(value)}`;
  if (Array.isArray(value)) return value.join("; ");
  return CODE.test(value) ? labelOf({}, value) : `${value}`;
}

/** Compares two values; missing ones come last in either direction. */
export function compare(a, b, direction) {
  const missing = (value) => value === null || value === undefined || value === "";
  if (missing(a) || missing(b)) return missing(a) - missing(b);
  return direction * (typeof a === "number" ? a - b : COLLATOR.compare(`${a}`, `${b}`));
}

/** Returns the columns with headings: aims.progress.mappedPercent is Aims: progress: mapped percent (%). */
export function withHeadings(columns) {
  const start = `${columns[0]?.name.split(".")[0]}.`;
  // A first part that all names share is left out.
  const skipped = columns.every(({ name }) => name.startsWith(start)) ? 1 : 0;
  return columns.map((column) => ({ ...column, heading: headingOf(column, skipped) }));
}

function headingOf({ name, unit }, skipped) {
  const words = name
    .split(".")
    .slice(skipped)
    .map((part) => part.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase())
    .join(": ");
  const heading = words.replace(/\bkpi(s?)\b/g, "KPI$1").replace(/\buln\b/g, "ULN").replace(/^./, (first) => first.toUpperCase());
  return unit ? `${heading} (${unit})` : heading;
}

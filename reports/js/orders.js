// What a user has ordered: bulk exports and schedules, read, started and ended with the server's saved operations.

import { mutate } from "/kpi/js/graphql.js";
import { runQuery, withToken } from "/kpi/js/session.js";

/** The formats of the files, with their labels, and how often a schedule makes one. */
export const FORMATS = { XLSX: "Excel", CSV: "CSV", PARQUET: "Parquet", JSON: "JSON" };
export const INTERVALS = { DAY: "every day", WEEK: "every Monday", MONTH: "on the first of each month" };

/** Returns {exports, schedules} of the user, the newest first. */
export async function readOrders() {
  const { viewer } = (await runQuery("report_orders", {})).data;
  return { exports: viewer.bulkExports, schedules: viewer.reportSchedules };
}

/** Starts an export of everything that a report gives with these variables. */
export const startExport = (operation, variables, format) =>
  run("bulk_export_start", { operation, variables: JSON.stringify(variables), format }, "bulkExportStart");

/** Makes a schedule of a report with these variables. */
export const startSchedule = (operation, variables, format, every) =>
  run(
    "report_schedule",
    { input: { operation, variables: JSON.stringify(variables), format, every } },
    "reportSchedule",
  );

/** Stops a schedule, and starts it again. */
export const endSchedule = (id) => run("report_schedule_end", { id }, "reportScheduleEnd");
export const resumeSchedule = (id) => run("report_schedule_resume", { id }, "reportScheduleResume");

async function run(name, variables, field) {
  const payload = (await withToken((token) => mutate(name, variables, token)))[field];
  if (payload.errors.length > 0) throw new Error(payload.errors[0].message);
}

/** Returns the variables of a report by their types, from the texts of its form. */
export function variablesOf({ inputs }, values) {
  const variables = {};
  for (const { path, type, list } of inputs) {
    if (!(path in values)) continue;
    const steps = path.split(".");
    const last = steps.pop();
    let target = variables;
    for (const step of steps) target = target[step] ??= {};
    target[last] = list ? listed(values[path], type) : typed(values[path], type);
  }
  return variables;
}

/** Returns the texts of a report's form from variables, by path. */
export function valuesOf(variables, prefix = "") {
  const values = {};
  for (const [name, value] of Object.entries(variables)) {
    const path = prefix + name;
    if (value === null) continue;
    if (Array.isArray(value)) values[path] = value.length === 1 ? `${value[0]}` : JSON.stringify(value);
    else if (typeof value === "object") Object.assign(values, valuesOf(value, `${path}.`));
    else values[path] = `${value}`;
  }
  return values;
}

function typed(text, type) {
  if (type === "Int" || type === "Float") return Number(text);
  return type === "Boolean" ? text === "true" : text;
}

function listed(text, type) {
  if (!text.startsWith("[")) return [typed(text, type)];
  try {
    return JSON.parse(text);
  } catch {
    // The server says what is wrong.
    return [text];
  }
}

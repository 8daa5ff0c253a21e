// The list of reports, their rows and their files, as the signed-in user gets them.

import { OfflineError, ServerError } from "/kpi/js/graphql.js";
import { runQuery, withToken } from "/kpi/js/session.js";

// The server lets a report wait up to five minutes for the rate limit.
const TIMEOUT = 330_000;

/** The formats in which a report is downloaded, with their labels. */
export const FORMATS = { csv: "CSV", xlsx: "Excel", parquet: "Parquet", json: "JSON" };

/** Returns the reports: name, description, forAnalysts, inputs, columns. */
export async function readReports() {
  return (await get("/reports")).json();
}

/** Returns {rows, asOf} of a report; `query` has its variables. */
export async function readRows(name, query) {
  const response = await get(address(name, "json", query));
  return { rows: await response.json(), asOf: response.headers.get("waymark-as-of") };
}

/** Downloads a report as a file of one of FORMATS. */
export async function download(name, format, query) {
  const response = await get(address(name, format, query));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = `${name}.${format}`;
  link.click();
  // The browser has begun to save the file by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The address at which a program reads the report with an access key. */
export function address(name, format, query) {
  const text = query.toString();
  return `/reports/${name}.${format}${text ? `?${text}` : ""}`;
}

/** Returns what a form offers for ids: employers, assessors, qualifications, learners, aims; each {id, label}. */
export async function readChoices(search = null) {
  const { data } = await runQuery("report_choices", { search });
  const named = ({ id, name }) => ({ id, label: name });
  return {
    employer: data.employers.nodes.map(named),
    assessor: data.users.nodes.map(named),
    qualification: data.qualifications.nodes.map(({ id, title, version }) => ({
      id,
      label: version ? `${title}, ${version}` : title,
    })),
    learner: data.learners.nodes.map(named),
    aim: data.learners.nodes.flatMap((learner) =>
      learner.aims.map((aim) => ({ id: aim.id, label: `${learner.name}: ${aim.title}` })),
    ),
  };
}

function get(path) {
  return withToken(async (token) => {
    let response;
    try {
      const headers = { authorization: `Bearer ${token}`, accept: "application/json, */*;q=0.5" };
      response = await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(TIMEOUT) });
    } catch {
      throw new OfflineError();
    }
    if (response.ok) return response;
    const error = (await response.json().catch(() => null))?.errors?.[0];
    if (!error) throw new OfflineError();
    throw new ServerError(error.extensions?.code ?? "INTERNAL", error.message);
  });
}

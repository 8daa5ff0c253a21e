// The titles of reports.

/** The title of a report: its name in words. */
export const titleOf = ({ name }) =>
  name.replaceAll("_", " ").replace(/\bkpi\b/, "KPI").replace(/^./, (first) => first.toUpperCase());

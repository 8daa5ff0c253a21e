// How things are said: lights, statuses, roles, numbers, and days and times in London.

export const LIGHTS = {
  OFF_TRACK: { word: "Off track", tone: "red", shape: "down" },
  ON_TRACK: { word: "On track", tone: "amber", shape: "level" },
  AHEAD: { word: "Ahead", tone: "green", shape: "up" },
  NOT_RATED: { word: "Not rated", tone: "grey", shape: "none" },
};

export const CRITERIA = {
  NOT_STARTED: { word: "Not started", tone: "red", shape: "ring" },
  IN_PROGRESS: { word: "Evidence mapped", tone: "amber", shape: "half" },
  SIGNED_OFF: { word: "Signed off", tone: "green", shape: "tick" },
};

export const AIM_STATUSES = {
  AWAITING_INDUCTION: "Awaiting induction",
  IN_TRAINING: "In training",
  SUSPENDED: "On a break",
  COMPLETED: "Completed",
  WITHDRAWN: "Withdrawn",
};

export const SESSIONS = {
  EXAM: "Exam",
  EXIT: "Exit session",
  FORMAL_REVIEW: "Progress review",
  GATEWAY: "Gateway",
  GENERAL: "General session",
  INDUCTION: "Induction",
  LEARNER_SUPPORT: "Learner support",
  OBSERVATION: "Observation",
  TELEPHONE: "Telephone call",
  WORKSHOP: "Workshop",
};

export const ROLES = {
  LEARNER: "Learner",
  ASSESSOR: "Assessor",
  IQA: "IQA",
  EMPLOYER_MANAGER: "Employer Manager",
  EMPLOYER_OVERVIEW: "Employer Overview",
};

/** What a code means, or for one newer than this app, the code in plain letters. */
export function wordFor(words, code) {
  return (
    words[code] ??
    code
      .replaceAll("_", " ")
      .toLowerCase()
      .replace(/^./, (first) => first.toUpperCase())
  );
}

/** A light or criterion's {word, tone, shape}, whatever the code. */
export function toneFor(tones, code) {
  return tones[code] ?? { word: wordFor({}, code), tone: "grey", shape: "none" };
}

const inLondon = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", ...options });
const DAY = inLondon({ day: "numeric", month: "short", year: "numeric" });
const WEEKDAY = inLondon({ weekday: "short", day: "numeric", month: "short" });
const WEEKDAY_YEAR = inLondon({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const TIME = inLondon({ hour: "2-digit", minute: "2-digit" });
const YEAR = inLondon({ year: "numeric" });
// A calendar day has no time zone: it is read and said as it stands.
const PLAIN_DAY = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  day: "numeric",
  month: "short",
  year: "numeric",
});
const AGO = new Intl.RelativeTimeFormat("en-GB", { numeric: "auto" });

/** A moment as a day: 3 Mar 2026. */
export const day = (moment) => DAY.format(new Date(moment));

/** A calendar day (2026-03-03): 3 Mar 2026. */
export const plainDay = (date) => PLAIN_DAY.format(new Date(`${date}T00:00:00Z`));

/** A moment to be somewhere: Tue 1 Dec, 14:30; with the year where it is another than this one. */
export function appointment(moment, now = Date.now()) {
  const when = new Date(moment);
  const format = YEAR.format(when) === YEAR.format(now) ? WEEKDAY : WEEKDAY_YEAR;
  return `${format.format(when).replace(",", "")}, ${TIME.format(when)}`;
}

/** The hour of a moment: 14:30. */
export const hour = (moment) => TIME.format(new Date(moment));

/** A moment that has been, as one says it: 14:32, yesterday 14:32, 18 Nov 2026 14:32. */
export function moment(milliseconds, now = Date.now()) {
  const days = daysBetween(milliseconds, now);
  const time = TIME.format(milliseconds);
  return days === 0 ? time : days === 1 ? `yesterday at ${time}` : `${day(milliseconds)} at ${time}`;
}

/** How long ago that was: 5 minutes ago. */
export function ago(milliseconds, now = Date.now()) {
  const minutes = Math.round((now - milliseconds) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return AGO.format(-minutes, "minute");
  if (minutes < 60 * 36) return AGO.format(-Math.round(minutes / 60), "hour");
  return AGO.format(-Math.round(minutes / 1440), "day");
}

function daysBetween(earlier, later) {
  const midnight = (moment) => {
    const parts = Object.fromEntries(DAY_PARTS.formatToParts(moment).map(({ type, value }) => [type, value]));
    return Date.UTC(parts.year, parts.month - 1, parts.day);
  };
  return Math.round((midnight(later) - midnight(earlier)) / 86_400_000);
}
const DAY_PARTS = inLondon({ day: "2-digit", month: "2-digit", year: "numeric" });

/** 1 learner, 2 learners. */
export const count = (number, one, many = `${one}s`) =>
  `${number.toLocaleString("en-GB")} ${number === 1 ? one : many}`;

/** A percentage as the graph gives it, to one decimal and no needless nought: 49.4%, 50%. */
export const percent = (value) => `${value.toLocaleString("en-GB", { maximumFractionDigits: 1 })}%`;

/** A file's size: 14 KB. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** A name for comparing: no case, no accents. */
export const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

// Labels of codes, and formats of numbers, dates and times. All times are London's.

export const TRAFFIC_LIGHTS = {
  OFF_TRACK: { label: "Off track", tone: "red", shape: "down" },
  ON_TRACK: { label: "On track", tone: "amber", shape: "level" },
  AHEAD: { label: "Ahead", tone: "green", shape: "up" },
  NOT_RATED: { label: "Not rated", tone: "grey", shape: "none" },
};

export const CRITERION_STATUSES = {
  NOT_STARTED: { label: "Not started", tone: "red", shape: "ring" },
  IN_PROGRESS: { label: "Evidence mapped", tone: "amber", shape: "half" },
  SIGNED_OFF: { label: "Signed off", tone: "green", shape: "tick" },
};

export const AIM_STATUSES = {
  AWAITING_INDUCTION: "Awaiting induction",
  IN_TRAINING: "In training",
  SUSPENDED: "On a break",
  COMPLETED: "Completed",
  WITHDRAWN: "Withdrawn",
};

// Instead of a traffic light, for aims that are not in training.
export const ENDED = {
  COMPLETED: { label: "Completed", tone: "green", shape: "tick" },
  SUSPENDED: { label: "On a break", tone: "grey", shape: "none" },
  WITHDRAWN: { label: "Withdrawn", tone: "grey", shape: "none" },
};

export const ACTION_STATUSES = { OUTSTANDING: "To do", IN_PROGRESS: "Learner has responded", COMPLETE: "Done" };

export const EVIDENCE_STATUSES = {
  SUBMITTED: "Waiting for the assessor",
  RESUBMITTED: "Resubmitted, waiting for the assessor",
  RETURNED: "Returned for improvement",
  ASSESSED: "Assessed",
  WITHDRAWN: "Withdrawn",
};

export const SESSION_STATUSES = {
  PLANNED: "Planned",
  ATTENDED: "Took place",
  NOT_ATTENDED: "Learner did not attend",
  CANCELLED: "Cancelled",
};

export const REVIEW_STATUSES = {
  DRAFT: "Being prepared",
  AWAITING_SIGNATURES: "Waiting for signatures",
  SIGNED: "Signed",
};

export const ATTENDANCES = {
  ATTENDED: "The employer was there.",
  CONTRIBUTED: "The employer contributed before or after it.",
  INVITED: "The employer was invited and did not take part.",
};

export const SESSION_TYPES = {
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

// What a notification can be about, in the words of "Needs you".
export const TASK_KINDS = {
  SIGN_DOCUMENT: "Documents to sign",
  SIGN_UNIT: "Units to sign",
  SIGN_REVIEW: "Progress reviews to sign",
  ANSWER_REVIEW: "Your part of a progress review",
  RESUBMIT_EVIDENCE: "Evidence to improve",
  CONFIRM_TIME: "Time to confirm",
};

export const ROLES = {
  LEARNER: "Learner",
  ASSESSOR: "Assessor",
  IQA: "IQA",
  EMPLOYER_MANAGER: "Employer Manager",
  EMPLOYER_OVERVIEW: "Employer Overview",
  BASIC_ADMIN: "Basic Admin",
  MASTER_ADMIN: "Master Admin",
};

/** Returns a code's label. A code that this version does not know becomes a sentence: SOMETHING_NEW, Something new. */
export function labelOf(labels, code) {
  return (
    labels[code] ??
    code
      .replaceAll("_", " ")
      .toLowerCase()
      .replace(/^./, (first) => first.toUpperCase())
  );
}

/** Returns the {label, tone, shape} of a traffic light or a criterion's status; grey for an unknown code. */
export function statusStyle(styles, code) {
  return styles[code] ?? { label: labelOf({}, code), tone: "grey", shape: "none" };
}

const inLondon = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", ...options });
const DAY = inLondon({ day: "numeric", month: "short", year: "numeric" });
const WEEKDAY = inLondon({ weekday: "short", day: "numeric", month: "short" });
const WEEKDAY_YEAR = inLondon({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
const TIME = inLondon({ hour: "2-digit", minute: "2-digit" });
const YEAR = inLondon({ year: "numeric" });
const DAY_PARTS = inLondon({ day: "2-digit", month: "2-digit", year: "numeric" });
// A date without a time has no time zone: it is parsed and formatted as UTC.
const DATE_ONLY = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  day: "numeric",
  month: "short",
  year: "numeric",
});
const AGO = new Intl.RelativeTimeFormat("en-GB", { numeric: "auto" });

/** The day of a time: 3 Mar 2026. */
export const day = (time) => DAY.format(new Date(time));

/** A date without a time (2026-03-03): 3 Mar 2026. */
export const dateOnly = (date) => DATE_ONLY.format(new Date(`${date}T00:00:00Z`));

/** The time of an appointment: Tue 1 Dec, 14:30; with the year if it is not the current one. */
export function appointment(time, now = Date.now()) {
  const when = new Date(time);
  const format = YEAR.format(when) === YEAR.format(now) ? WEEKDAY : WEEKDAY_YEAR;
  return `${format.format(when).replace(",", "")}, ${TIME.format(when)}`;
}

/** The time of day: 14:30. */
export const timeOfDay = (time) => TIME.format(new Date(time));

/** A time in the past: 14:32, yesterday at 14:32, 18 Nov 2026 at 14:32. */
export function pastTime(milliseconds, now = Date.now()) {
  const days = daysBetween(milliseconds, now);
  const time = TIME.format(milliseconds);
  return days === 0 ? time : days === 1 ? `yesterday at ${time}` : `${day(milliseconds)} at ${time}`;
}

/** How long ago a time was: 5 minutes ago. */
export function ago(milliseconds, now = Date.now()) {
  const minutes = Math.round((now - milliseconds) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return AGO.format(-minutes, "minute");
  if (minutes < 60 * 36) return AGO.format(-Math.round(minutes / 60), "hour");
  return AGO.format(-Math.round(minutes / 1440), "day");
}

const dateParts = (time) =>
  Object.fromEntries(DAY_PARTS.formatToParts(time).map(({ type, value }) => [type, value]));

function daysBetween(earlier, later) {
  const midnight = (time) => {
    const parts = dateParts(time);
    return Date.UTC(parts.year, parts.month - 1, parts.day);
  };
  return Math.round((midnight(later) - midnight(earlier)) / 86_400_000);
}

/** A number with its noun: 1 learner, 2 learners. */
export const count = (number, one, many = `${one}s`) =>
  `${number.toLocaleString("en-GB")} ${number === 1 ? one : many}`;

/** A duration in minutes: 45 min, 2 h, 1 h 30 min. */
export function duration(minutes) {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours && `${hours.toLocaleString("en-GB")} h`, (rest || !hours) && `${rest} min`].filter(Boolean).join(" ");
}

/** Today's date in London: 2026-03-03. */
export function today(now = Date.now()) {
  const { year, month, day } = dateParts(now);
  return `${year}-${month}-${day}`;
}

/** Whole days from a date (2026-03-03) to today. */
export const daysSince = (date) => Math.round((Date.parse(today()) - Date.parse(date)) / 86_400_000);

/** A percentage with at most one decimal: 49.4%, 50%. */
export const percent = (value) => `${value.toLocaleString("en-GB", { maximumFractionDigits: 1 })}%`;

/** A file's size: 14 KB. */
export function fileSize(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const FOLDED_LETTERS = {
  ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", ß: "ss", æ: "ae", œ: "oe", ı: "i", ŋ: "n", ə: "e", ħ: "h", ŧ: "t",
  ĸ: "q",
};

/** Text as the server searches it: without case, accents, apostrophes, hyphens and spaces. */
export const folded = (text) =>
  text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\p{M}\p{Pd}\s'`´ʹʻʼʽʾʿˈ‘’‚‛′＇]/gu, "")
    .replace(/[øłđðþßæœıŋəħŧĸ]/g, (letter) => FOLDED_LETTERS[letter]);

// Addresses within the app: the screen that a hash shows, and the screen that shows a record.

// The screens that have an id, by the first part of their address. The learner's screen has sections below it.
const WITH_ID = {
  learners: "learner",
  documents: "document",
  reviews: "review",
  units: "unit",
  evidence: "evidence",
  upload: "upload",
};
const START = { name: "", id: null, section: "" };
// The screen that shows a record, by its GraphQL type; %s stands for its id.
const ADDRESSES = {
  Evidence: "#/evidence/%s",
  Learner: "#/learners/%s",
  Review: "#/reviews/%s",
  SignatureRequest: "#/documents/%s",
  Unit: "#/units/%s",
  Action: "#/actions",
  Session: "#/visits",
  TimeLogEntry: "#/time",
};

// Where several tasks of a kind are listed; those of other kinds are on the first screen.
const LISTS = { SIGN_DOCUMENT: "#/documents", CONFIRM_TIME: "#/time" };

/** Returns {name, id, section, params} of a hash: of the first screen if the hash names none of `names`. */
export function parseRoute(hash, names) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const params = new URLSearchParams(query);
  const [first, id, section = ""] = path.split("/").map(decoded);
  if (first === undefined || id === null || section === null) return { ...START, params };
  const name = id && Object.hasOwn(WITH_ID, first) ? WITH_ID[first] : first;
  if (!names.includes(name)) return { ...START, params };
  return { name, id: id ?? null, section, params };
}

/** Returns the address of the screen that shows a record, by its id: `Review_7` gives `#/reviews/Review_7`. */
export function addressOf(id) {
  const type = id.split("_")[0];
  return Object.hasOwn(ADDRESSES, type) ? ADDRESSES[type].replace("%s", encodeURIComponent(id)) : "#/";
}

/** Returns the address of the screen for the link of an e-mail (`#/open/Review_7`) or of a notification, which may
 * name a kind of task (`#/open/SIGN_DOCUMENT`); null for any other hash. */
export function addressOfLink(hash) {
  const [, id] = hash.match(/^#\/open\/([A-Za-z]+_[\d.]+)$/) ?? [];
  if (id) return addressOf(id);
  const [, kind] = hash.match(/^#\/open\/([A-Z_]+)$/) ?? [];
  if (!kind) return null;
  return Object.hasOwn(LISTS, kind) ? LISTS[kind] : "#/";
}

// A part that is not valid percent-encoding is null.
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

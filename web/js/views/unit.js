// The Unit screen: its criteria and evidence, the sentence that a signature confirms, and signing it.

import { backLink, criterionStatus, icon, notice, unloaded } from "../components.js";
import { h } from "../dom.js";
import { count, day, EVIDENCE_STATUSES, labelOf } from "../format.js";
import { mutate } from "../graphql.js";
import { single, UNIT } from "../operations.js";
import { cached } from "../query_cache.js";
import { session, withToken } from "../session.js";
import { may, reasonsOf, signatureList, Signing } from "../signing.js";
import { slotText } from "./document.js";

export const name = "unit";
export const title = ({ route }) => unitOf(route)?.title ?? "Unit";
export const queries = ({ id }) => [single(UNIT, { unitId: id })];

const unitOf = ({ id }) => cached(UNIT, { unitId: id })?.data.unit;
const signing = new Signing();
export const enter = () => signing.reset();

export function show(app) {
  const unit = unitOf(app.route);
  const learner = unit?.aim.learner;
  const back = learner
    ? backLink(`#/learners/${learner.id}`, learner.name)
    : backLink(app.listAddress, "Learners");
  const heading = h("h1", { tabindex: "-1" }, unit ? `${unit.number} ${unit.title}` : "Unit");
  if (unit === null)
    return [back, heading, h("p", { class: "empty" }, "Unit not found, or no longer available to you.")];
  if (!unit) return [back, heading, unloaded(app, "This unit has not been loaded on this device yet.")];
  const given = unit.signatures.filter(({ signedAt, required }) => signedAt || required);
  return [
    back,
    heading,
    h("p", { class: "lead" }, `${learner.name}, ${unit.aim.title}`),
    h(
      "div",
      { class: "columns", key: "columns" },
      h(
        "section",
        { class: "card stack", "aria-labelledby": "confirmation" },
        h("h2", { id: "confirmation" }, "What a signature confirms"),
        h("blockquote", {}, unit.confirmationStatement),
        sign(app, unit),
        h("h2", {}, "Signatures"),
        given.length ? signatureList(given, slotText) : h("p", { class: "note" }, "No signatures yet."),
      ),
      h(
        "section",
        { class: "card stack", "aria-labelledby": "evidence" },
        h("h2", { id: "evidence" }, count(unit.evidence.length, "piece of evidence", "pieces of evidence")),
        unit.evidence.length > 0 && h("ul", { class: "rows" }, unit.evidence.map(evidenceRow)),
        h("h2", {}, count(unit.criteria.length, "criterion", "criteria")),
        h("ul", { class: "criteria" }, unit.criteria.map(criterion)),
      ),
    ),
  ];
}

function sign(app, unit) {
  if (!may(unit, "unitSign")) return reasonsOf(unit, "unitSign");
  const isOwn = ({ role, signedAt, withdrawnAt }) => role === session.viewer.role && signedAt && !withdrawnAt;
  if (unit.signatures.some(isOwn))
    return notice("good", h("p", {}, icon("tick"), "You have signed this unit."));
  return signing.form(app, {
    tick: "I have looked at the evidence, and confirm this statement.",
    submitLabel: "Sign the unit",
    send: async (password) => {
      const answer = await withToken((token) => mutate("sign_unit", { id: unit.id, password }, token));
      return answer.unitSign.errors;
    },
    onSigned: () => app.done(`You have signed the unit “${unit.title}”.`, `#/learners/${unit.aim.learner.id}`),
  });
}

/** Returns a row of a list of evidence, with a link to its screen. */
export function evidenceRow({ id, title, status, submittedAt, submittedBy }) {
  return h(
    "li",
    { key: id },
    h(
      "a",
      { href: `#/evidence/${id}`, class: "row" },
      icon("file"),
      h(
        "span",
        {},
        h("strong", {}, title),
        h(
          "span",
          { class: "detail" },
          `${labelOf(EVIDENCE_STATUSES, status)}. ${submittedBy.name}, ${day(submittedAt)}`,
        ),
      ),
      icon("forward"),
    ),
  );
}

function criterion({ id, code, description, status, evidenceCount }) {
  return h(
    "li",
    { key: id },
    h("span", { class: "code" }, code),
    h("p", {}, description),
    h(
      "span",
      { class: "states" },
      criterionStatus(status),
      evidenceCount > 0 &&
        h("span", { class: "pieces" }, count(evidenceCount, "piece of evidence", "pieces of evidence")),
    ),
  );
}

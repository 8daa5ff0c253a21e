// The Upload screen: evidence for one of a learner's aims, with a file or a photo, and the user's signature.

import { backLink, notice, unloaded } from "../components.js";
import { h } from "../dom.js";
import { mutate } from "../graphql.js";
import { PORTFOLIO, single } from "../operations.js";
import { cached } from "../query_cache.js";
import { withToken } from "../session.js";
import { may, reasonsOf } from "../signing.js";
import { FileForm } from "../uploading.js";
import { confirmationField, hasPassword } from "./confirmation.js";

export const name = "upload";
export const title = () => "Upload evidence";
export const queries = ({ id }) => [single(PORTFOLIO, { learnerId: id })];

const uploading = new FileForm();
export const enter = () => uploading.reset();

export function show(app) {
  const { id } = app.route;
  const learner = cached(PORTFOLIO, { learnerId: id })?.data.learner;
  const back = backLink(`#/learners/${id}/evidence`, learner?.name ?? "Learner");
  const heading = h("h1", { tabindex: "-1" }, "Upload evidence");
  if (learner === null)
    return [back, heading, h("p", { class: "empty" }, "Learner not found, or no longer allocated to you.")];
  if (!learner) return [back, heading, unloaded(app)];
  const aims = learner.aims.filter((aim) => may(aim, "evidenceSubmit"));
  if (aims.length === 0)
    return [
      back,
      heading,
      learner.aims.length ? reasonsOf(learner.aims[0], "evidenceSubmit") : notice("plain", h("p", {}, "No aim yet.")),
    ];
  return [
    back,
    heading,
    h("p", { class: "lead" }, `For ${learner.name}. The assessor gets an e-mail and assesses it.`),
    h(
      "section",
      { class: "card narrow", key: "form" },
      uploading.form(app, {
        id: "upload",
        submitLabel: "Upload and sign",
        texts: [
          ["title", "Title", null, { line: true }],
          ["description", "What it shows", "What the learner did, and how you know."],
        ],
        check: ({ password }) =>
          password ? null : ["password", hasPassword() ? "Please enter your password." : "Please enter the code."],
        extra: (errorOf) => [
          h(
            "div",
            { class: "field" },
            h("label", { for: "aim" }, "Aim"),
            h(
              "select",
              { id: "aim", name: "aim" },
              aims.map((aim) => h("option", { value: aim.id }, aim.title)),
            ),
          ),
          confirmationField(app, {
            id: "password",
            hint: "Your password is your signature on it.",
            error: errorOf("password"),
          }),
        ],
        send: async (fileId, { title, description, aim, password }) => {
          const input = {
            aimId: aim, fileId, title: title.trim(), description: description.trim(), declareOwnWork: false, password,
          };
          const answer = await withToken((token) => mutate("submit_evidence", { input }, token));
          return answer.evidenceSubmit.errors;
        },
        onSent: () => app.done("The evidence has been uploaded.", `#/learners/${id}/evidence`),
      }),
    ),
  ];
}

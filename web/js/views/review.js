// The Review screen: a progress review in its current state, the employer's answers, and reading and signing its
// document.

import { backLink, bars, icon, notice, tag, textArea, trafficLight, unloaded, form } from "../components.js";
import { h } from "../dom.js";
import { ATTENDANCES, count, dateOnly, day, duration, labelOf, REVIEW_STATUSES, ROLES } from "../format.js";
import { mutate, OfflineError } from "../graphql.js";
import { REVIEW, single } from "../operations.js";
import { cached } from "../query_cache.js";
import { Reader } from "../reader.js";
import { session, withToken } from "../session.js";
import { may, reasonsOf, signatureList, Signing } from "../signing.js";
import { actionRow } from "./actions.js";
import { slotText } from "./document.js";

export const name = "review";
export const title = ({ route }) => titleOf(reviewOf(route));
export const queries = ({ id }) => [single(REVIEW, { reviewId: id })];

const QUESTIONS = [
  ["progressSinceLast", "What went well since the last review"],
  ["concerns", "What worries you"],
  ["changesToPlan", "What should change in the plan"],
  ["nextSteps", "What comes next"],
];
const OFFLINE = "There is no connection, so nothing was saved. Your text stays here: try again when you are online.";
const titleOf = (review) => (review ? `Progress review ${review.number}` : "Progress review");
const reviewOf = ({ id }) => cached(REVIEW, { reviewId: id })?.data.review;
const reader = new Reader();
const signing = new Signing();
let answering = { busy: false, error: null };

export function enter() {
  reader.close();
  signing.reset();
  answering = { busy: false, error: null };
}

export function show(app) {
  const review = reviewOf(app.route);
  const back = review
    ? backLink(`#/learners/${review.learner.id}/reviews`, review.learner.name)
    : backLink(app.listAddress, "Learners");
  const heading = h("h1", { tabindex: "-1" }, titleOf(review));
  if (review === null)
    return [back, heading, h("p", { class: "empty" }, "Review not found, or no longer available to you.")];
  if (!review) return [back, heading, unloaded(app, "This review has not been loaded on this device yet.")];
  const { learner, heldOn, coversFrom, employerAttendance } = review;
  return [
    back,
    heading,
    h(
      "p",
      { class: "lead" },
      `${learner.name} with ${review.session.assessor.name}, ${dateOnly(heldOn)}. It covers the time since `,
      `${dateOnly(coversFrom)}. ${labelOf(REVIEW_STATUSES, review.status)}.`,
    ),
    h(
      "div",
      { class: "columns", key: "columns" },
      h("div", { class: "stack" }, yourPart(app, review), figures(review)),
      h(
        "div",
        { class: "stack" },
        words(review.answers, employerAttendance),
        actions("Actions of the last review", review.previousActions),
        actions("New actions", review.actions),
      ),
    ),
  ];
}

/** Returns what the viewer can do: write answers, or read and sign the document. */
function yourPart(app, review) {
  if (review.status === "DRAFT")
    return h(
      "section",
      { class: "card stack", "aria-labelledby": "answer" },
      h("h2", { id: "answer" }, "Your answers"),
      may(review, "reviewAnswer") ? answerForm(app, review) : reasonsOf(review, "reviewAnswer"),
    );
  const open = review.slots.some(({ role, signedAt }) => role === session.viewer.role && !signedAt);
  const current = review.slots.filter(({ withdrawnAt }) => !withdrawnAt);
  const withdrawn = review.slots.filter(({ withdrawnAt }) => withdrawnAt);
  return h(
    "section",
    { class: "card stack", "aria-labelledby": "document" },
    h("h2", { id: "document" }, open ? "Read and sign" : "The document"),
    signing.state.error && !open && notice("bad", h("p", {}, signing.state.error)),
    reader.show(app, review.document, async () => {
      await single(REVIEW, { reviewId: app.route.id }).refresh();
      return reviewOf(app.route).document;
    }),
    open && (may(review, "reviewSign") ? signForm(app, review) : reasonsOf(review, "reviewSign")),
    h("h2", {}, "Signatures"),
    signatureList(current, slotText),
    withdrawn.length > 0 &&
      h("details", {}, h("summary", {}, "Withdrawn signatures"), signatureList(withdrawn, slotText)),
  );
}

function signForm(app, review) {
  return signing.form(app, {
    tick: "I have read this review and sign it.",
    submitLabel: "Sign the review",
    mustRead: () => (reader.sha256 ? null : document.querySelector(".opening .button")),
    send: async (password) => {
      const variables = { id: review.id, documentSha256: reader.sha256, password };
      const answer = await withToken((token) => mutate("sign_review", variables, token));
      return answer.reviewSign.errors;
    },
    onSigned: () => app.done(`You have signed progress review ${review.number} for ${review.learner.name}.`, "#/"),
    onRefused: () => reader.close(),
  });
}

function answerForm(app, review) {
  const own = review.answers.find(({ role }) => role === session.viewer.role);
  return form(
    {
      key: "answer",
      submitLabel: "Save",
      busyLabel: "Saving…",
      busy: answering.busy,
      error: answering.error,
      onSubmit: (values) => answer(app, review, values),
    },
    h(
      "p",
      { class: "note" },
      "Write what matters to you; no field is required. You can change it until the review is issued.",
    ),
    QUESTIONS.map(([id, label]) => textArea(label, { id, value: own?.[id] ?? "", maxlength: 10_000 })),
  );
}

async function answer(app, review, values) {
  const state = answering;
  if (!QUESTIONS.some(([id]) => values[id].trim())) {
    state.error = "Please write something first.";
    return app.draw();
  }
  Object.assign(state, { busy: true, error: null });
  app.draw();
  const input = Object.fromEntries(QUESTIONS.map(([id]) => [id, values[id].trim() || null]));
  try {
    const { reviewAnswer } = await withToken((token) => mutate("answer_review", { id: review.id, input }, token));
    state.error = reviewAnswer.errors[0]?.message ?? null;
  } catch (error) {
    state.error = error instanceof OfflineError ? OFFLINE : error.message;
  }
  state.busy = false;
  if (state.error) return app.draw();
  app.done("Your part of the review is saved.", `#/reviews/${review.id}`);
}

function figures({ status, figures: { trafficLight: light, progress, offTheJob, outstandingActionCount } }) {
  return h(
    "section",
    { class: "card stack", "aria-labelledby": "figures" },
    h(
      "div",
      { class: "aim-head" },
      h("h2", { id: "figures" }, status === "DRAFT" ? "Figures today" : "Figures on the day of issue"),
      trafficLight({ trafficLight: light }),
    ),
    bars(progress, { large: true }),
    h(
      "p",
      { class: "note" },
      `Off-the-job training: ${duration(offTheJob.actualMinutes)} logged of ${duration(offTheJob.expectedMinutes)} `,
      "expected by then. ",
      `${count(outstandingActionCount, "action")} to do.`,
    ),
  );
}

function words(answers, attendance) {
  return h(
    "section",
    { class: "card stack", "aria-labelledby": "words" },
    h("h2", { id: "words" }, "Everybody's answers"),
    attendance && h("p", { class: "note" }, ATTENDANCES[attendance]),
    answers.length === 0 && h("p", { class: "note" }, "Nobody has written anything yet."),
    answers.map((each) =>
      h(
        "article",
        { class: "said", key: each.role },
        h("h3", {}, icon("words"), each.answeredBy.name, " ", tag("grey", labelOf(ROLES, each.role))),
        QUESTIONS.filter(([id]) => each[id]).map(([id, label]) =>
          h("div", {}, h("strong", { class: "detail" }, label), h("p", {}, each[id])),
        ),
        h("p", { class: "note" }, day(each.answeredAt)),
      ),
    ),
  );
}

function actions(heading, list) {
  if (list.length === 0) return null;
  return h(
    "section",
    { class: "card stack" },
    h("h2", {}, heading),
    h("ul", { class: "rows" }, list.map((action) => actionRow(action))),
  );
}

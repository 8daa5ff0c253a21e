"""The enums of tasks and of changes of a portfolio, with a description of each value."""

from domain import enums
from schema.described_enum import described

TaskKind = described(
    enums.TaskKind,
    "What kind of work waits for the viewer. Each role has some of these kinds.",
    SIGN_DOCUMENT="A document has an open signature slot for the viewer's role. That of a review is SIGN_REVIEW.",
    SIGN_UNIT="All criteria of a unit are signed off, and the provider requires a signature of the viewer's role.",
    SIGN_REVIEW="An issued progress review has an open signature slot for the viewer's role.",
    ANSWER_REVIEW="The session of a draft review has begun, and the viewer's side has not said what they think of it.",
    BOOK_REVIEW="A learner's formal review is due within four weeks or overdue, and none is booked: for the assessor.",
    ASSESS_EVIDENCE="Evidence was submitted or resubmitted: for the assessor of its aim.",
    RESUBMIT_EVIDENCE="Evidence that the viewer submitted was returned with points for improvement.",
    RESPOND_TO_ACTION="An action was set, and the learner has not said yet what they did.",
    FOLLOW_UP_ACTION="The learner has responded to an action, or its target date has passed: for the assessor.",
    APPROVE_TIME="Off-the-job training was logged and is not approved: for the assessor.",
    CONFIRM_TIME="Off-the-job training was logged, and the employer has not confirmed that it took place.",
    LOG_LEARNING="The learner has logged nothing for four weeks.",
    CHOOSE_UNITS="Optional units are still to be chosen: for the aim's assessor, or for the office if it has none.",
    SAMPLE_UNIT="A unit with evidence is to be sampled within four weeks: for its IQA, or Master Admins without one.",
    ANSWER_SAMPLE="An action of a sample has no answer: for the aim's assessor, or Master Admins if it has none.",
    SESSION_SOON="A session of the viewer's own begins today or in the next two days.",
)

PortfolioPart = described(
    enums.PortfolioPart,
    "A part of a learner's portfolio.",
    ACTION="The actions that were set for the learner.",
    AIM="The aims: their status, dates, breaks and sums.",
    CV="The CV: its sections and documents.",
    EVIDENCE="The evidence library.",
    LEARNER="The learner's own details, and who is allocated to them.",
    MESSAGE="A message was sent about the learner.",
    RESOURCE="The learning resources.",
    REVIEW="The progress reviews.",
    SESSION="The learning plan.",
    SIGNATURE="The documents to sign.",
    TIME_LOG="The time log.",
    UNIT="The units: their criteria and signatures, and which optional units are chosen.",
)

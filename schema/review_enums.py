"""The enums of progress reviews and samples, with a description of each value."""

from domain import enums
from schema.described_enum import described

ReviewStatus = described(
    enums.ReviewStatus,
    "How far a progress review has come.",
    DRAFT="It is being prepared: figures are live, and words can be written.",
    AWAITING_SIGNATURES="It is issued, and a signature is missing.",
    SIGNED="Every role that has to sign it has signed.",
)

EmployerAttendance = described(
    enums.EmployerAttendance,
    "Whether somebody of the employer took part in a progress review.",
    ATTENDED="They were there.",
    CONTRIBUTED="They said what they think beforehand or afterwards.",
    INVITED="They were invited and did not take part.",
)

SampleStatus = described(
    enums.SampleStatus,
    "How far a sample has come.",
    PLANNED="The IQA has not looked at the unit yet.",
    IN_PROGRESS="The IQA is checking it.",
    ACTION_REQUIRED="The assessor has to do something, which the IQA has not closed yet.",
    CONCLUDED="Nothing is left to do.",
)

SampleOutcome = described(
    enums.SampleOutcome,
    "What the IQA decided about a sampled unit.",
    ACCEPTED="The assessor's decisions are confirmed.",
    ACTION_REQUIRED="The decisions are confirmed once the assessor has done what the actions say.",
    REJECTED="The sign-off of the unit is taken back.",
)

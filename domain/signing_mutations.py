"""The mutations with which users sign and withdraw signatures, by what is signed. Their audit events record it."""

EVIDENCE = ("evidenceSubmit", "evidenceSign")
UNITS = ("unitSign",)
DOCUMENTS = ("signatureRequestSign", "signatureRequestSignMany", "reviewSign")
# Those whose function is marked `@mutation(..., signs=True)`; a learner sees their own events of these.
ALL = EVIDENCE + UNITS + DOCUMENTS
# The audit event of a guest's signature on a document: a guest runs no mutation.
BY_GUEST = "guestSignatureSign"

WITHDRAW_UNITS = (
    "aimVersionChange", "evidenceAssess", "evidenceReturn", "evidenceResubmit", "evidenceUnmap", "evidenceUpdate",
    "evidenceWithdraw", "sampleConclude",
)  # fmt: skip
WITHDRAW_DOCUMENTS = ("signatureRequestCancel",)

"""The statements that a signature confirms, and the digest of what was confirmed."""

import hashlib
import json
from collections.abc import Iterable


def unit_statement(unit_number: str, unit_title: str, qualification_title: str, learner_name: str) -> str:
    """Returns the statement that a signature on one learner's unit confirms.

    It is shown before signing and stored with the signature, as the employer guide requires.
    """
    return (
        f"I confirm that the evidence recorded for unit {unit_number}, {unit_title}, of {qualification_title} is the "
        f"work of {learner_name}, and that each criterion shown as signed off has been met."
    )


def evidence_statement(title: str, own_work: bool) -> str:
    """Returns the statement that a signature on evidence confirms.

    `own_work`: the submitter declares it to be the learner's own work.
    """
    if own_work:
        return f"I declare that “{title}” is the learner's own work."
    return f"I confirm that I have seen “{title}”."


def document_statement(title: str) -> str:
    """Returns the statement that a signature on a document confirms."""
    return f"I have opened and read “{title}”, and I sign it as it stands."


def guest_statement(title: str, name: str) -> str:
    """Returns the statement that the signature of a guest on a document confirms; `name` as they typed it."""
    return document_statement(title).replace("I have", f"I, {name}, have", 1)


def guest_sha256(statement: str, email: str) -> str:
    """Returns the SHA-256 of who signed as a guest, for the audit trail, which has no names and addresses."""
    return hashlib.sha256(f"{statement}\n{email}".encode()).hexdigest()


def unit_sha256(statement: str, criteria: Iterable[tuple[int, int, bool]]) -> str:
    """Returns the SHA-256 of what a unit's signature confirms, so that a later change can be detected.

    `criteria` holds (criterion key, evidence count, signed off) for every criterion of the unit, with or without
    evidence.
    """
    canonical = json.dumps([statement, sorted(criteria)], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()

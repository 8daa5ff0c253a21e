"""Mutants that mean what the source means, whatever is in the tables: no test can tell them apart, and why."""

# By file and what was done to it (`python -m tests.mutation_testing.mutants --list`).
EQUIVALENT: dict[tuple[str, str], str] = {
    ("loaders/action.py", "without scope.sees_aim(role) in select(Aim.id).where"): (
        "cuts a list of actions that the viewer sees, and whoever sees an action of an aim sees the aim"
    ),
    (
        "loaders/evidence.py",
        "without scope.of_provider(EvidenceMapping) in select(EvidenceMapping.evidence_id, EvidenceMapping.aim_i...",
    ): "is joined to the evidence, which says whose provider's its mappings are",
    (
        "loaders/session.py",
        "without scope.sees_aim(role) in select(SessionAim.session_id, SessionAim.aim_id).join(Aim...",
    ): ("gives the keys to the loader of aims, which reads none that the viewer does not see"),
    (
        "loaders/unit_funnel.py",
        "without scope.sees_aim(role) in select(UnitSignature.aim_id, UnitSignature.unit_id, func....",
    ): "is joined to what was reached in the same aim, which is read within scope",
}

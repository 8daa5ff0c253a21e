"""Equivalent mutants: they behave as the source for any data, so no test can detect them. Each has its reason."""

_SAME_ROWS = "both lists are made of the same rows: a loader returns one result for each key, in their order"

# By file and change (`python -m tests.mutation_testing.mutants --list`).
EQUIVALENT: dict[tuple[str, str], str] = {
    ("loaders/action.py", "without scope.sees_aim(role) in select(Aim.id).where"): (
        "filters actions that the viewer sees; a viewer of an action of an aim also sees the aim"
    ),
    (
        "loaders/evidence.py",
        "without scope.of_provider(EvidenceMapping) in select(EvidenceMapping.evidence_id, EvidenceMapping.aim_i...",
    ): "is joined to the evidence, whose provider is also that of its mappings",
    (
        "loaders/session.py",
        "without scope.sees_aim(role) in select(SessionAim.session_id, SessionAim.aim_id).join(Aim...",
    ): ("the keys go to the loader of aims, which reads only aims that the viewer sees"),
    (
        "loaders/unit_funnel.py",
        "without scope.sees_aim(role) in select(UnitSignature.aim_id, UnitSignature.unit_id, total...",
    ): "is joined to the criteria of the same aim, which are read within scope",
    ("resolvers/rules/sample.py", "True as False"): _SAME_ROWS,
    ("resolvers/rules/signature_request.py", "True as False"): _SAME_ROWS,
    ("resolvers/rules/user.py", "True as False"): _SAME_ROWS,
}

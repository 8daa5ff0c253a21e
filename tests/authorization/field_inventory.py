"""The fields whose value does not follow from which records the viewer sees, each with its rule.

Everything else follows its record, and is not listed: the questions are made from the schema, the visibility of a type
is declared on its mapped class, and `tests/authorization/test_matrix.py` compares each field with its value in a world
without what the viewer may not see. A field that is added to the graph is in that comparison at once; only if it has a
rule of its own does it need a line here, a rule in `auth/scope.py` and one in `tests/authorization/oracle.py`.
"""

# Links name the viewer, and times are those of the request.
OF_THE_REQUEST = {
    "Download_url": "signed for the viewer",
    "Download_expiresAt": "counted from the request",
    "Kpis_generatedAt": "the time of the request",
}
# What depends on the role in use besides the records; the oracle states each rule.
OF_THE_ROLE = {
    "Learner_uln": "everybody who sees the learner, except employers",
    "User_email": "the user; assessor and IQA of a learner; admins",
    "User_lastLoginAt": "as User_email",
    "Learner_awaitingSignatureCount": "open slots of the viewer's role",
    "Kpis_awaitingSignatureCount": "open slots of the viewer's role",
    "SignatureRequest_awaitingViewer": "an open slot of the viewer's role",
    "Viewer_role": "the role in use",
    "Viewer_learner": "the learner whom the user is, in the role LEARNER",
    "Viewer_grants": "the user's own roles",
    "Viewer_signatureRequests": "documents with a slot of the viewer's role",
    "Viewer_awaitingSignatureCount": "open slots of the viewer's role",
    "Query_users": "people stay in the world without the rest, because records name them",
}

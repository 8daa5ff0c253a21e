"""The fields with a rule of their own: their value depends on more than which records the viewer may see.

Other fields are not listed. The queries are generated from the schema, the visibility of a type is declared on its
mapped class, and `test_matrix.py` compares each field with its value in a database that has only the visible rows. A
new field is part of that comparison automatically. A new field with a rule of its own needs a line here, a rule in
`auth/scope.py` and one in `oracle.py`.
"""

from db.models.registry import mapped_classes
from db.models.updated_at import is_updated_at
from resolvers.core.rules import rules_by_type

# Fields that differ between two requests of the same viewer.
REQUEST_FIELDS = {
    "Download_url": "signed for the viewer",
    "Download_expiresAt": "a lifetime added to the time of the request",
    "Kpis_generatedAt": "the time of the request",
    "IdentityProvider_authorizationUrl": "a state and a nonce of its own",
    **{
        f"{each.type_name()}_updatedAt": "when its rows were written: those of the reduced database are written later"
        for each in mapped_classes()
        if any(map(is_updated_at, each.__table__.columns))
    },
}
# Fields that depend on the role of the viewer besides the records; the oracle has each rule.
ROLE_FIELDS = {
    "Learner_uln": "everybody who sees the learner, except employers",
    "User_email": "the user; assessor and IQA of a learner; admins",
    "User_lastLoginAt": "as User_email",
    "User_archivedAt": "as User_email",
    "User_grants": "as User_email",
    "Learner_email": "as User_email",
    "AssessorWorkload_assessedCount": "decisions on visible evidence; the trail that has them is not visible itself",
    "AssessorWorkload_returnedCount": "as AssessorWorkload_assessedCount",
    "AssessorWorkload_meanDaysToAssess": "as AssessorWorkload_assessedCount",
    "Viewer_turnaround": "as AssessorWorkload_assessedCount; `test_turnaround.py` counts it again in every role",
    "Learner_awaitingSignatureCount": "open slots of the viewer's role",
    "Kpis_awaitingSignatureCount": "open slots of the viewer's role",
    "SignatureSlot_guestEmail": "everybody who sees the document, except employers",
    "SignatureRequest_awaitingViewer": "an open slot of the viewer's role",
    "Viewer_role": "the role in use",
    "Viewer_learner": "the learner whom the user is, in the role LEARNER",
    "Viewer_grants": "the user's own roles",
    "Viewer_signatureRequests": "documents with a slot of the viewer's role",
    "Viewer_awaitingSignatureCount": "open slots of the viewer's role",
    "Viewer_tasks": "what waits for the viewer in the role in use",
    "Viewer_taskCounts": "as Viewer_tasks",
    "Viewer_notificationSettings": "the viewer's own",
    "Viewer_bulkExports": "the viewer's own, of the role in use",
    "Viewer_reportSchedules": "as Viewer_bulkExports",
    "Query_identityProviders": "those of the installation, which strangers read too",
    "Query_users": "a reduced database keeps all users, because records refer to them",
    # `test_viewer_actions.py` compares them with the mutations.
    **{f"{name}_viewerActions": "what the mutations would say" for name in rules_by_type()},
}

"""Documents of the mutations of people, places, programmes and settings, for `tests/support/mutation_documents.py`."""

_ERRORS = "errors { code field message }"
_USER = f"{{ user {{ id name email }} {_ERRORS} }}"
_EMPLOYER = f"{{ employer {{ id name parent {{ id }} sites {{ name }} }} {_ERRORS} }}"
_LEARNER = f"{{ learner {{ id name uln employer {{ id }} photo {{ id }} aims {{ id }} }} {_ERRORS} }}"
_AIM = f"""{{ aim {{ id title status assessor {{ name }} iqa {{ name }} startDate plannedEndDate actualEndDate
  trafficLight progress {{ criteriaTotal }} learner {{ name }} }} {_ERRORS} }}"""
_SETTINGS = f"""{{ providerSettings {{ trafficLightTolerance ratedFromPercent reviewIntervalWeeks unitSignatures
  disclaimer }} {_ERRORS} }}"""


def _of_user(name: str, more: str, given: str) -> str:
    return f"mutation($userId: ID!, {more}) {{ {name}(userId: $userId, {given}) {_USER} }}"


PEOPLE = {
    "userInvite": f"mutation($input: UserInviteInput!) {{ userInvite(input: $input) {_USER} }}",
    "userArchive": f"mutation($id: ID!) {{ userArchive(id: $id) {_USER} }}",
    "roleGrant": _of_user("roleGrant", "$role: Role!", "role: $role"),
    "roleRevoke": _of_user("roleRevoke", "$role: Role!", "role: $role"),
    **{
        name: _of_user(name, "$learnerIds: [ID!]!", "learnerIds: $learnerIds")
        for name in ("employerManagerAllocate", "employerManagerDeallocate")
    },
    **{
        name: _of_user(name, "$employerIds: [ID!]!", "employerIds: $employerIds")
        for name in ("employerOverviewAllocate", "employerOverviewDeallocate")
    },
    "employerCreate": f"mutation($input: EmployerInput!) {{ employerCreate(input: $input) {_EMPLOYER} }}",
    "employerUpdate": "mutation($id: ID!, $input: EmployerInput!) { employerUpdate(id: $id, input: $input) "
    f"{_EMPLOYER} }}",
    "learnerEnrol": f"mutation($input: LearnerEnrolInput!) {{ learnerEnrol(input: $input) {_LEARNER} }}",
    "learnerUpdate": "mutation($id: ID!, $input: LearnerUpdateInput!) { learnerUpdate(id: $id, input: $input) "
    f"{_LEARNER} }}",
    "aimAdd": f"mutation($input: AimAddInput!) {{ aimAdd(input: $input) {_AIM} }}",
    "aimUpdate": f"mutation($id: ID!, $input: AimUpdateInput!) {{ aimUpdate(id: $id, input: $input) {_AIM} }}",
    "providerSettingsUpdate": "mutation($input: ProviderSettingsInput!) { providerSettingsUpdate(input: $input) "
    f"{_SETTINGS} }}",
}

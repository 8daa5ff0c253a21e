"""The accounts of the demo that are printed for visitors, and the password of everybody in the demo."""

from dataclasses import dataclass

from domain.enums import Role

PASSWORD = "waymark-demo"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account to sign in with. `note` says what it shows."""

    username: str
    name: str
    roles: tuple[Role, ...]
    note: str


ACCOUNTS = (
    DemoAccount("learner", "Maya Thornton", (Role.LEARNER,), "an apprentice with three aims"),
    DemoAccount("assessor", "Priya Raman", (Role.ASSESSOR,), "Maya's training adviser"),
    DemoAccount("iqa", "Gareth Pugh", (Role.IQA,), "Maya's internal quality assurer"),
    DemoAccount(
        "employer.manager", "Helen Ashworth", (Role.EMPLOYER_MANAGER,), "Maya's manager: some learners of one site"
    ),
    DemoAccount("employer.overview", "Duncan Frame", (Role.EMPLOYER_OVERVIEW,), "two of the employer's three sites"),
    DemoAccount("basic.admin", "Lorna Webb", (Role.BASIC_ADMIN,), "an administrator of the provider"),
    DemoAccount("master.admin", "Victor Osei", (Role.MASTER_ADMIN,), "the whole provider, with settings and audit"),
    DemoAccount("many.roles", "Siân Fielding", (Role.ASSESSOR, Role.IQA), "one account with two roles"),
    DemoAccount("new.starter", "Jay Lister", (Role.LEARNER,), "first sign-in: password and disclaimer come first"),
    DemoAccount("other.provider", "Ruth Calloway", (Role.MASTER_ADMIN,), "a second provider, apart from the first"),
)

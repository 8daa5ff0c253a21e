"""Where things are in the demo, found as a client finds them: learners, aims, criteria and sites by what they are."""

from typing import Any

from tests.support.client import HttpClient

STANDARD, DIPLOMA, MATHEMATICS = "Cycle workshop technician", "Diploma in Cycle Maintenance", "Functional Skills"


async def learner_id(person: HttpClient, name: str) -> str:
    """The one learner of that name whom somebody sees."""
    found = await person.data(
        "query($name: String) { learners(filter: { search: $name }) { nodes { id name } } }", name=name
    )
    (learner,) = found["learners"]["nodes"]
    return learner["id"]


async def aim_of(person: HttpClient, learner: str, title: str) -> dict[str, Any]:
    """A learner's aim by the beginning of its title, with its units and their criteria."""
    found = await person.data(
        "query($id: ID!) { learner(id: $id) { aims { id title trafficLight progress { criteriaTotal criteriaMapped "
        "criteriaSignedOff durationPercent } "
        "units { id number criteriaComplete signedOff criteria { id code status } } } } }",
        id=learner,
    )
    (aim,) = [aim for aim in found["learner"]["aims"] if aim["title"].startswith(title)]
    return aim


def criteria(aim: dict[str, Any], status: str) -> list[str]:
    """The ids of an aim's criteria that stand so, in order."""
    return [one["id"] for unit in aim["units"] for one in unit["criteria"] if one["status"] == status]


async def employer_id(person: HttpClient, name: str) -> str:
    """An employer by its whole name."""
    found = await person.data(
        "query($name: String) { employers(search: $name, first: 100) { nodes { id name } } }", name=name
    )
    (employer,) = [one for one in found["employers"]["nodes"] if one["name"] == name]
    return employer["id"]


async def user_id(person: HttpClient, name: str) -> str:
    """A user by name."""
    found = await person.data("query($name: String) { users(search: $name) { nodes { id name } } }", name=name)
    (user,) = [one for one in found["users"]["nodes"] if one["name"] == name]
    return user["id"]


async def qualification_id(person: HttpClient, title: str) -> str:
    """A qualification by the beginning of its title."""
    found = await person.data("query($title: String) { qualifications(search: $title) { nodes { id } } }", title=title)
    (qualification,) = found["qualifications"]["nodes"]
    return qualification["id"]

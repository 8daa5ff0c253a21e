"""Finds learners, aims, criteria and sites of the demo by name or state, through the API."""

from typing import Any

from tests.support.client import HttpClient

STANDARD, DIPLOMA, MATHEMATICS = "Cycle workshop technician", "Diploma in Cycle Maintenance", "Functional Skills"


async def learner_id(person: HttpClient, name: str) -> str:
    """Returns the only visible learner with that name."""
    found = await person.data(
        "query($name: String) { learners(filter: { search: $name }) { nodes { id name } } }", name=name
    )
    (learner,) = found["learners"]["nodes"]
    return learner["id"]


async def aim_of(person: HttpClient, learner: str, title: str) -> dict[str, Any]:
    """Returns a learner's aim by the beginning of its title, with its units and their criteria."""
    found = await person.data(
        "query($id: ID!) { learner(id: $id) { aims { id title trafficLight progress { criteriaTotal criteriaMapped "
        "criteriaSignedOff durationPercent } "
        "units { id number criteriaComplete signedOff criteria { id code status } } } } }",
        id=learner,
    )
    (aim,) = [aim for aim in found["learner"]["aims"] if aim["title"].startswith(title)]
    return aim


def criteria(aim: dict[str, Any], status: str) -> list[str]:
    """Returns the ids of an aim's criteria with that status, in order."""
    return [one["id"] for unit in aim["units"] for one in unit["criteria"] if one["status"] == status]


async def employer_id(person: HttpClient, name: str) -> str:
    """Returns an employer by its full name."""
    found = await person.data(
        "query($name: String) { employers(search: $name, first: 100) { nodes { id name } } }", name=name
    )
    (employer,) = [one for one in found["employers"]["nodes"] if one["name"] == name]
    return employer["id"]


async def user_id(person: HttpClient, name: str) -> str:
    """Returns a user by name."""
    found = await person.data("query($name: String) { users(search: $name) { nodes { id name } } }", name=name)
    (user,) = [one for one in found["users"]["nodes"] if one["name"] == name]
    return user["id"]


async def qualification_id(person: HttpClient, title: str) -> str:
    """Returns the newest version of a qualification by the beginning of its title."""
    query = "query($title: String) { qualifications(search: $title) { nodes { id version } } }"
    found = (await person.data(query, title=title))["qualifications"]["nodes"]
    return max(found, key=lambda qualification: qualification["version"] or "")["id"]

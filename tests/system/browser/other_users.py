"""Actions of other users through the API, while the app is open."""

from services.demo import sample_files as files
from tests.support.client import HttpClient


async def do(person: HttpClient, mutation: str, selection: str = "", /, **variables: object) -> dict:
    """Runs a mutation and asserts that it has no errors: `do(person, "sessionCancel(id: ID!)", id=id)`."""
    name, _, rest = mutation.rstrip(")").partition("(")
    parameters = [part.strip() for part in rest.split(",")]
    arguments = ", ".join(f"{part.split(':')[0]}: ${part.split(':')[0]}" for part in parameters)
    field = f"{name}({arguments}) {{ {selection} errors {{ code field message }} }}"
    answer = await person.data(f"mutation({', '.join('$' + part for part in parameters)}) {{ {field} }}", **variables)
    assert answer[name]["errors"] == [], answer
    return answer[name]


async def learner_id(person: HttpClient, name: str) -> str:
    """Returns the id of the first learner with that name."""
    query = "query($name: String) { learners(filter: { search: $name }) { nodes { id } } }"
    return (await person.data(query, name=name))["learners"]["nodes"][0]["id"]


async def request_signature(
    person: HttpClient, learner: str, title: str, roles: list[str], document: str = "Training plan"
) -> str:
    """Creates a document to be signed by the roles and returns the id of the signature request."""
    sample = files.pdf(document)
    file_id = await person.upload(sample.name, sample.content_type, sample.content)
    payload = await do(
        person,
        "signatureRequestCreate(input: SignatureRequestCreateInput!)",
        "signatureRequest { id }",
        input={"learnerId": learner, "title": title, "fileId": file_id, "roles": roles},
    )
    return payload["signatureRequest"]["id"]

"""What others do meanwhile, through the graph."""

from services.demo import sample_files as files
from tests.support.http_server import Person


async def do(person: Person, mutation: str, selection: str = "", /, **variables: object) -> dict:
    """One mutation that goes well, arguments as the schema has them: `do(person, "sessionCancel(id: ID!)", id=id)`."""
    name, _, rest = mutation.rstrip(")").partition("(")
    declared = [part.strip() for part in rest.split(",")]
    given = ", ".join(f"{part.split(':')[0]}: ${part.split(':')[0]}" for part in declared)
    asked = f"{name}({given}) {{ {selection} errors {{ code field message }} }}"
    answer = await person.data(f"mutation({', '.join('$' + part for part in declared)}) {{ {asked} }}", **variables)
    assert answer[name]["errors"] == [], answer
    return answer[name]


async def learner_id(person: Person, name: str) -> str:
    """The id of the first learner of that name."""
    asked = "query($name: String) { learners(filter: { search: $name }) { nodes { id } } }"
    return (await person.data(asked, name=name))["learners"]["nodes"][0]["id"]


async def ask_to_sign(person: Person, learner: str, title: str, roles: list[str]) -> str:
    """A new document that waits for roles; gives the request's id."""
    sample = files.pdf("Training plan")
    file_id = await person.upload(sample.name, sample.content_type, sample.content)
    made = await do(
        person,
        "signatureRequestCreate(input: SignatureRequestCreateInput!)",
        "signatureRequest { id }",
        input={"learnerId": learner, "title": title, "fileId": file_id, "roles": roles},
    )
    return made["signatureRequest"]["id"]

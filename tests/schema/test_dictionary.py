"""The data dictionary: the descriptions of the served schema, for everybody who has signed in."""

from collections.abc import Callable

from graphql import build_schema, is_enum_type, is_object_type

from schema.root import printed
from tests.support.client import InProcessClient

Client = Callable[[str], InProcessClient]

DICTIONARY = "query($search: String) { dictionary(search: $search) { name type description } }"


async def test_it_has_every_described_field_and_value(client: Client):
    served = build_schema(printed())
    expected = {}
    for type_ in served.type_map.values():
        if type_.name.startswith("__"):
            continue
        if is_object_type(type_):
            for name, field in type_.fields.items():
                expected[f"{type_.name}.{name}"] = (str(field.type), field.description)
        elif is_enum_type(type_):
            for name, each in type_.values.items():
                expected[f"{type_.name}.{name}"] = (type_.name, each.description)
    found = (await client("may").data(DICTIONARY))["dictionary"]
    assert [entry["name"] for entry in found] == sorted(name for name, (_, text) in expected.items() if text)
    for entry in found:
        type_, text = expected[entry["name"]]
        assert (entry["type"], entry["description"]) == (type_, " ".join(text.split()))


async def test_it_is_searched_by_name_and_meaning(client: Client):
    names = [entry["name"] for entry in (await client("mo").data(DICTIONARY, search="off the job"))["dictionary"]]
    assert "Aim.offTheJob" in names and "JobSetting.OFF_THE_JOB" in names and "Kpis.aimCount" not in names
    assert (await client("mo").data(DICTIONARY, search="no such thing"))["dictionary"] == []

"""The metadata document against the standard's own XML schemas, and what it says of the operations."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema

from queries.odata.feed import ODataFeed, entity_sets
from queries.operations import saved_operations
from queries.reports import Reports
from queries.response_shape import ColumnType

STANDARD = Path(__file__).parent / "standard"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture(scope="module")
def document() -> ElementTree.Element:
    return ElementTree.fromstring(ODataFeed().metadata())


def test_it_is_valid_by_the_schemas_of_the_standard(document: ElementTree.Element):
    schema = xmlschema.XMLSchema(STANDARD / "edmx.xsd", locations={EDM.strip("{}"): str(STANDARD / "edm.xsd")})
    assert list(schema.iter_errors(document)) == []
    # The schemas refuse what is wrong.
    document = ElementTree.fromstring(ODataFeed().metadata())
    next(document.iter(f"{EDM}Property")).set("Nullable", "perhaps")
    assert len(list(schema.iter_errors(document))) == 1


def test_each_report_for_analysts_is_an_entity_set(document: ElementTree.Element):
    sets = {each.get("Name"): each for each in document.iter(f"{EDM}EntitySet")}
    types = {each.get("Name"): each for each in document.iter(f"{EDM}EntityType")}
    for report in Reports().describe():
        assert (report["name"] in sets) == report["forAnalysts"]
        if report["forAnalysts"]:
            assert sets[report["name"]].get("EntityType") == f"Waymark.{report['name']}"
            names = [each.get("Name") for each in types[report["name"]].iter(f"{EDM}Property")]
            columns = [column["name"].replace(".", "_") for column in report["columns"]]
            assert names == ["row", *columns, "asOf"]
            needed = any("required" in line and "default" not in line for line in report["variables"])
            assert (sets[report["name"]].get("IncludeInServiceDocument") == "false") == needed


def test_names_in_it_are_those_that_it_defines(document: ElementTree.Element):
    """What no XML schema can check: each reference has its target, and a key is required."""
    for each in document.iter(f"{EDM}EntityType"):
        properties = {found.get("Name"): found for found in each.iter(f"{EDM}Property")}
        assert len(properties) == len(list(each.iter(f"{EDM}Property")))
        for reference in each.iter(f"{EDM}PropertyRef"):
            assert properties[reference.get("Name")].get("Nullable") == "false"
    included = {each.get("Alias") for each in document.iter() if each.tag.endswith("}Include")}
    terms = {str(each.get("Term")).partition(".")[0] for each in document.iter(f"{EDM}Annotation")}
    assert terms == included


def test_types_units_and_nullability_are_those_of_the_schema(document: ElementTree.Element):
    def of(name: str) -> dict[str, tuple[str, str]]:
        (found,) = (each for each in document.iter(f"{EDM}EntityType") if each.get("Name") == name)
        return {
            str(each.get("Name")): (str(each.get("Type")), str(each.get("Nullable")))
            for each in found.iter(f"{EDM}Property")
        }

    actions = of("overdue_actions")
    assert actions["id"] == ("Edm.String", "false") and actions["daysOverdue"] == ("Edm.Int64", "false")
    # A learner's list of aims may be empty, and the learner still has a row.
    aims = of("learners_off_track")
    assert aims["id"] == ("Edm.String", "false") and aims["aims_id"] == ("Edm.String", "true")
    assert aims["lastLoginAt"] == ("Edm.DateTimeOffset", "true")
    unit = document.find(f".//{EDM}Property[@Name='daysOverdue']/{EDM}Annotation[@Term='Measures.Unit']")
    assert unit is not None and unit.get("String") == "days"
    for entity_set in entity_sets().values():
        lists = [each for each in entity_set.properties if each.column.type is ColumnType.TEXT_LIST]
        assert all(each.edm_type == "Collection(Edm.String)" and not each.nullable for each in lists)
        assert entity_set.operation == saved_operations()[entity_set.name]

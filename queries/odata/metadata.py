"""The metadata document: the entity sets as CSDL XML 4.0, with units, meanings, and what is not supported."""

from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from .model import NAMESPACE, EntitySet

CONTAINER = "Reports"
_VOCABULARIES = ("Core", "Capabilities", "Measures")
# What a client need not try: the reports are read, whole or in part, and there is nothing else.
_CONTAINER_BOOLS = {"Capabilities.BatchSupported": False, "Capabilities.AsynchronousRequestsSupported": False}
_SET_BOOLS = {
    "Capabilities.TopSupported": True, "Capabilities.SkipSupported": True, "Capabilities.IndexableByKey": False,
}  # fmt: skip
_SET_RECORDS = {
    "Capabilities.CountRestrictions": ("Countable", True), "Capabilities.FilterRestrictions": ("Filterable", True),
    "Capabilities.SortRestrictions": ("Sortable", True), "Capabilities.ExpandRestrictions": ("Expandable", False),
    "Capabilities.SearchRestrictions": ("Searchable", False), "Capabilities.InsertRestrictions": ("Insertable", False),
    "Capabilities.UpdateRestrictions": ("Updatable", False), "Capabilities.DeleteRestrictions": ("Deletable", False),
}  # fmt: skip


def metadata_document(sets: Iterable[EntitySet], filter_functions: Iterable[str]) -> bytes:
    """Returns the document as UTF-8. `filter_functions`: the functions that $filter takes."""
    sets = list(sets)
    references = "".join(map(_reference, _VOCABULARIES))
    types = "".join(map(_entity_type, sets))
    functions = _element("Collection", {}, *(f"<String>{name}</String>" for name in filter_functions))
    conformance = {"EnumMember": "Org.OData.Capabilities.V1.ConformanceLevelType/Minimal"}
    container = _element(
        "EntityContainer",
        {"Name": CONTAINER},
        *map(_entity_set, sets),
        _annotation("Capabilities.ConformanceLevel", conformance),
        _annotation("Capabilities.FilterFunctions", {}, functions),
        *(_annotation(term, {"Bool": _bool(value)}) for term, value in _CONTAINER_BOOLS.items()),
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0">'
        f"{references}<edmx:DataServices>"
        f'<Schema xmlns="http://docs.oasis-open.org/odata/ns/edm" Namespace="{NAMESPACE}">{types}{container}</Schema>'
        "</edmx:DataServices></edmx:Edmx>\n"
    ).encode()


def _reference(vocabulary: str) -> str:
    namespace = f"Org.OData.{vocabulary}.V1"
    # The place where the standard keeps the vocabulary. Clients know these three and need not read it.
    uri = f"https://oasis-tcs.github.io/odata-vocabularies/vocabularies/{namespace}.xml"
    include = _element("edmx:Include", {"Namespace": namespace, "Alias": vocabulary})
    return _element("edmx:Reference", {"Uri": uri}, include)


def _entity_type(entity_set: EntitySet) -> str:
    properties = []
    for each in entity_set.properties:
        facets = {"Name": each.name, "Type": each.edm_type, "Nullable": _bool(each.nullable)}
        if each.edm_type == "Edm.DateTimeOffset":
            facets["Precision"] = "6"
        notes = (
            [_annotation("Core.Description", {"String": each.column.description})] if each.column.description else []
        )
        if each.unit:
            notes.append(_annotation("Measures.Unit", {"String": each.unit}))
        properties.append(_element("Property", facets, *notes))
    key = _element("Key", {}, _element("PropertyRef", {"Name": entity_set.properties[0].name}))
    return _element("EntityType", {"Name": entity_set.name}, key, *properties)


def _entity_set(entity_set: EntitySet) -> str:
    given = {"Name": entity_set.name, "EntityType": f"{NAMESPACE}.{entity_set.name}"}
    if entity_set.needs_variables:
        given["IncludeInServiceDocument"] = "false"
    return _element(
        "EntitySet",
        given,
        _annotation("Core.Description", {"String": entity_set.operation.title}),
        *(_annotation(term, {"Bool": _bool(value)}) for term, value in _SET_BOOLS.items()),
        *(
            _annotation(term, {}, _element("Record", {}, _value(name, value)))
            for term, (name, value) in _SET_RECORDS.items()
        ),
    )


def _value(name: str, value: bool) -> str:
    return _element("PropertyValue", {"Property": name, "Bool": _bool(value)})


def _annotation(term: str, given: dict[str, str], *inside: str) -> str:
    return _element("Annotation", {"Term": term, **given}, *inside)


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _element(name: str, given: dict[str, str], *inside: str) -> str:
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in given.items())
    return f"<{name}{attributes}>{''.join(inside)}</{name}>" if inside else f"<{name}{attributes}/>"

"""`$metadata`: the sets of a service and the shapes of their rows, as a CSDL document.

It describes this sandbox. That each host serves such a document is known, but only the workspace's
was ever published; names of enumerations are left out, so their members are plain strings here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from jibble_async.sandbox.exchange import Reply
from jibble_async.sandbox.schema import TIME_TRACKING_SETS, TYPES, WORKING_NOW, WORKSPACE_SETS
from jibble_async.sandbox.timesheets import SUMMARY, TIMESHEET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jibble_async.sandbox.entity_types import EntityType, Kind
    from jibble_async.sandbox.ledger import Service

PATH = "/v1/$metadata"
_NAMESPACE = "Jibble.Sandbox"
_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
_TYPES: dict[Kind, str] = {
    "guid": "Edm.Guid",
    "text": "Edm.String",
    "enum": "Edm.String",
    "instant": "Edm.DateTimeOffset",
    "date": "Edm.Date",
    "time": "Edm.TimeOfDay",
    "duration": "Edm.Duration",
    "bool": "Edm.Boolean",
    "number": "Edm.Double",
    "object": "Edm.Untyped",
    "list": "Collection(Edm.Untyped)",
    "any": "Edm.Untyped",
}
_PUBLIC = {"TimeTrackingPeople": "People"}
_SETS: dict[str, dict[str, EntityType]] = {
    "workspace": {name: TYPES[name] for name in WORKSPACE_SETS.values()},
    "time-tracking": {
        **{_PUBLIC.get(name, name): TYPES[name] for name in TIME_TRACKING_SETS.values()},
        WORKING_NOW.name: WORKING_NOW,
    },
    "time-attendance": {"Timesheets": TIMESHEET, "TimesheetsSummary": SUMMARY},
}


def metadata(service: Service) -> Reply:
    """The document of a service, in XML."""
    sets = _SETS[service]
    edmx = Element("edmx:Edmx", {"Version": "4.0", "xmlns:edmx": _EDMX})
    services = SubElement(edmx, "edmx:DataServices")
    schema = SubElement(services, "Schema", {"Namespace": _NAMESPACE, "xmlns": _EDM})
    for entity_type in _with_what_they_lead_to(sets).values():
        _describe(schema, entity_type)
    container = SubElement(schema, "EntityContainer", {"Name": "Container"})
    for name, entity_type in sets.items():
        named = {"Name": name, "EntityType": f"{_NAMESPACE}.{entity_type.name}"}
        SubElement(container, "EntitySet", named)
    body = tostring(edmx, encoding="utf-8", xml_declaration=True)
    return Reply(200, body, {"Content-Type": "application/xml"})


def _with_what_they_lead_to(sets: Mapping[str, EntityType]) -> dict[str, EntityType]:
    """The types by name; of two with one name that of the service itself."""
    found = {entity_type.name: entity_type for entity_type in sets.values()}
    waiting = list(found.values())
    while waiting:
        for navigation in waiting.pop().navigations.values():
            target = TYPES[navigation.target]
            if target.name not in found:
                found[target.name] = target
                waiting.append(target)
    return found


def _describe(schema: Element, entity_type: EntityType) -> None:
    open_type = {"OpenType": "true"} if entity_type.settings else {}
    described = SubElement(schema, "EntityType", {"Name": entity_type.name, **open_type})
    key = "id" if "id" in entity_type.properties else "personId"
    SubElement(SubElement(described, "Key"), "PropertyRef", {"Name": key})
    for name, kind in entity_type.properties.items():
        nullable = {"Nullable": "false"} if name == key else {}
        SubElement(described, "Property", {"Name": name, "Type": _TYPES[kind], **nullable})
    for name, navigation in entity_type.navigations.items():
        target = f"{_NAMESPACE}.{TYPES[navigation.target].name}"
        leads_to = f"Collection({target})" if navigation.many else target
        SubElement(described, "NavigationProperty", {"Name": name, "Type": leads_to})

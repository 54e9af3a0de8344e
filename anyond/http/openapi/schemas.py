"""JSON schemas of our types, with the names that clients know."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, get_args

import msgspec
from msgspec import UnsetType, inspect

from anyond.http.openapi.names import MAPPINGS, NAMES, PATCHES, UNIONS
from anyond.model import docstrings

PLACE = "#/components/schemas/"
Schema = dict[str, Any]

_MOMENT = re.compile(r"[a-z_]+_at|timestamp|last_commit_date")
_UUIDS = frozenset(
    {
        "id",
        "project_id",
        "task_id",
        "task_attempt_id",
        "attempt_id",
        "execution_process_id",
        "process_id",
        "retry_process_id",
        "new_execution_id",
        "approval_id",
        "tag_id",
        "analytics_user_id",
    }
)


class Schemas:
    """The schemas of some types, as references to `components` and inline ones.

    What a request may leave out, an answer always has. A type that both have, and that differs
    in this, is called `<name>Input` where it is read.

    Args:
        read: the types of bodies and parameters.
        written: the types of answers and frames.
        unions: more unions with names, of types that are written.
    """

    def __init__(
        self, read: Iterable[Any], written: Iterable[Any], unions: Mapping[str, Any] | None = None
    ) -> None:
        unions = {**UNIONS, **(unions or {})}
        read, written = [*read], [*written, *unions.values(), *MAPPINGS.values()]
        incoming, coming = _schemas(read)
        outgoing, going = _schemas(written)
        for name, cls in _classes(written).items():
            if issubclass(cls, msgspec.Struct):
                _complete(going[name], cls)
        renamed = {name: f"{name}Input" for name in coming if name in going}
        # A type differs too if one of those in it does.
        while same := [n for n in renamed if _renamed(coming[n], renamed) == going[n]]:
            for name in same:
                del renamed[name]
        given = {renamed.get(name, name): _renamed(s, renamed) for name, s in coming.items()}
        self.components: dict[str, Schema] = dict(sorted({**given, **going}.items()))
        self._name_unions({name: outgoing[written.index(u)] for name, u in unions.items()})
        mappings = {name: outgoing[written.index(m)] for name, m in MAPPINGS.items()}
        self.components = _with_mappings(self.components, mappings)
        self.components = dict(sorted({**self.components, **mappings}.items()))
        self._read: dict[str, Schema] = dict(
            zip(map(repr, read), (_renamed(s, renamed) for s in incoming), strict=True)
        )
        self._written: dict[str, Schema] = dict(zip(map(repr, written), outgoing, strict=True))

    def read(self, type_: Any) -> Schema:
        """The schema of something that a client sends."""
        return self._read[repr(type_)]

    def written(self, type_: Any) -> Schema:
        """The schema of something that a client gets."""
        return self._written[repr(type_)]

    def _name_unions(self, unions: dict[str, Schema]) -> None:
        known = {_members(schema): name for name, schema in unions.items()}
        for name, schema in self.components.items():
            self.components[name] = _with_unions(schema, known)
        for name, schema in unions.items():
            self.components[name] = schema
        self.components = dict(sorted(self.components.items()))


def _schemas(types: list[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """Return msgspec's schemas of `types`, with the names of clients, and tidied up."""
    classes = _classes(types)
    found, components = msgspec.json.schema_components(types, ref_template=PLACE + "{name}")
    names = {_raw_name(cls): name for name, cls in classes.items()}
    if len(names) != len(classes) or not components.keys() <= names.keys():
        raise ValueError(f"types of one name: {sorted(components.keys() ^ names.keys())}")
    made = {names[raw]: _renamed(schema, names) for raw, schema in components.items()}
    for name, schema in made.items():
        _tidy(schema, classes[name])
    return [_flat(_renamed(schema, names)) for schema in found], made


def _raw_name(cls: type) -> str:
    return cls.__name__


def _classes(types: Iterable[Any]) -> dict[str, type]:
    """All classes in `types` that get a schema of their own, by the name that clients know."""
    found: dict[str, type] = {}

    def walk(info: Any) -> None:
        cls = getattr(info, "cls", None)
        if cls is not None:
            name = NAMES.get(cls, cls.__name__)
            if name in found:
                if found[name] is not cls:
                    raise ValueError(f"{cls} and {found[name]} are both called {name}")
                return
            found[name] = cls
        for inner in _inside(info):
            walk(inner)

    for info in inspect.multi_type_info(types):
        walk(info)
    return found


def _inside(info: Any) -> Iterator[Any]:
    """The types that `info` consists of."""
    match info:
        case inspect.Metadata():
            yield info.type
        case inspect.StructType():
            yield from (field.type for field in info.fields)
        case inspect.UnionType():
            yield from info.types
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType():
            yield info.item_type
        case inspect.TupleType():
            yield from info.item_types
        case inspect.DictType():
            yield from (info.key_type, info.value_type)


def _tidy(schema: Schema, cls: type) -> None:
    """Words of ours instead of those that msgspec has made of docstrings and enumerations."""
    schema.pop("title", None)
    schema.pop("description", None)
    doc = vars(cls).get("__doc__") or ""
    text, arguments = docstrings.split(doc)
    if text.strip() and not text.startswith(f"{cls.__name__}("):
        schema["description"] = docstrings.rendered(text)
    if issubclass(cls, Enum):
        schema["type"] = "string"
        schema["enum"] = [member.value for member in cls]
        return
    for field, sentence in docstrings.arguments(arguments):
        if field in schema["properties"]:
            schema["properties"][field]["description"] = sentence
    for field, inner in schema["properties"].items():
        schema["properties"][field] = _formatted(field, _flat(inner))
    if cls in PATCHES:
        schema["required"] = []
        for inner in schema["properties"].values():
            inner.pop("default", None)


def _complete(schema: Schema, cls: type) -> None:
    """An answer has all fields, except for those that can be unset."""
    schema["required"] = [name for name in schema["properties"] if name not in _unset(cls)]
    for inner in schema["properties"].values():
        inner.pop("default", None)


def _unset(cls: type) -> set[str]:
    return {
        field.encode_name
        for field in msgspec.structs.fields(cls)
        if UnsetType in get_args(field.type)
    }


def _flat(schema: Any) -> Any:
    """`schema` with constants and nullable types written shortly, inside as well."""
    if isinstance(schema, list):
        return [_flat(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _flat(value) for key, value in schema.items()}
    if "type" not in made and len(made.get("enum", ())) == 1:
        made["const"] = made.pop("enum")[0]
    options = made.get("anyOf")
    if options is not None and len(options) == 2 and {"type": "null"} in options:
        [other] = [option for option in options if option != {"type": "null"}]
        if isinstance(other.get("type"), str) and "enum" not in other:
            del made["anyOf"]
            made = {**other, **made, "type": [other["type"], "null"]}
    return made


def _formatted(name: str, schema: Schema) -> Schema:
    """Add the format of every id and every timestamp of the API."""
    types = schema.get("type", [])
    if "string" in ([types] if isinstance(types, str) else types):
        if name in _UUIDS and "minLength" not in schema:  # else it is said what it is instead
            schema["format"] = "uuid"
        elif _MOMENT.fullmatch(name):
            schema["format"] = "date-time"
    if name == "image_ids":
        schema["items"]["format"] = "uuid"
    return schema


def _renamed(schema: Any, names: Mapping[str, str]) -> Any:
    """A copy of `schema` in which references lead to other names."""
    match schema:
        case dict():
            return {key: _renamed(value, names) for key, value in schema.items()}
        case list():
            return [_renamed(item, names) for item in schema]
        case str() if schema.startswith(PLACE):
            name = schema.removeprefix(PLACE)
            return PLACE + names.get(name, name)
        case _:
            return schema


def _with_mappings(schema: Any, known: Mapping[str, Schema]) -> Any:
    """`schema`, with references to the objects that have a name."""
    match schema:
        case dict():
            for name, mapping in known.items():
                if schema == mapping:
                    return {"$ref": PLACE + name}
            return {key: _with_mappings(value, known) for key, value in schema.items()}
        case list():
            return [_with_mappings(item, known) for item in schema]
        case _:
            return schema


def _members(schema: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(option["$ref"] for option in schema.get("anyOf", ()) if "$ref" in option)


def _with_unions(schema: Any, known: Mapping[frozenset[str], str]) -> Any:
    """`schema`, with references to the unions that have a name."""
    if isinstance(schema, list):
        return [_with_unions(item, known) for item in schema]
    if not isinstance(schema, dict):
        return schema
    name = known.get(_members(schema)) if "anyOf" in schema else None
    if name is None:
        return {key: _with_unions(value, known) for key, value in schema.items()}
    rest = {k: v for k, v in schema.items() if k not in {"anyOf", "discriminator"}}
    if {"type": "null"} in schema["anyOf"]:
        return {"anyOf": [{"$ref": PLACE + name}, {"type": "null"}], **rest}
    return {"$ref": PLACE + name, **rest}

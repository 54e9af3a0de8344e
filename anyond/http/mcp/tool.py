"""A tool: its name, its arguments, and the endpoint that it asks or the function for several."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct

from anyond.api.declaration.endpoint import Answering, BodyCall
from anyond.http.mcp.inner import Inner, Refused
from anyond.http.mcp.messages import Json
from anyond.http.mcp.person import Person
from anyond.model.access import Scope

if TYPE_CHECKING:
    from anyond.http.backend import Backend


class Call(NamedTuple):
    """One call of a tool.

    Args:
        inner: the endpoints, as the caller may use them.
        progress: tells the client in a few words what is waited for.
        directory: where the client works, if it says so.
    """

    inner: Inner
    backend: Backend
    person: Person
    progress: Callable[[str], Awaitable[None]]
    directory: str | None


Run = Callable[[Call, Any], Awaitable[Any]]


class Tool(Struct, frozen=True, kw_only=True):
    """A function that a model may call.

    Args:
        takes: the types whose fields are its arguments.
        leaves_out: fields of these that no model needs.
        run: given the arguments; returns what is described, as JSON.
        scope: what its caller needs, for people; the endpoints see to it.
        repeatable: whether to call it twice is to call it once.
        destroys: whether something is gone or public after it.
        asks: whether it asks the person, where it can.
        asks_endpoint: whether its arguments are those of one endpoint, which looks at them.
    """

    name: str
    title: str
    description: str
    scope: Scope
    takes: tuple[type[Struct], ...]
    run: Run
    leaves_out: frozenset[str] = frozenset()
    repeatable: bool = False
    destroys: bool = False
    asks: bool = False
    asks_endpoint: bool = False

    def described(self) -> Json:
        """The tool as `tools/list` has it."""
        reads = self.scope is Scope.READ
        hints = {
            "title": self.title,
            "readOnlyHint": reads,
            "destructiveHint": self.destroys,
            "idempotentHint": reads or self.repeatable,
            "openWorldHint": False,
        }
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": schema(self.takes, self.leaves_out),
            "annotations": hints,
        }

    def checked(self, arguments: Json) -> Json:
        """The arguments, of which none is unknown or of another type.

        A model that has made a mistake reads what a tool says, and not the errors of the protocol.

        Raises:
            Refused: one is; it is named, and those that there are.
        """
        known = schema(self.takes, self.leaves_out)["properties"]
        unknown = sorted(arguments.keys() - known.keys())
        if unknown:
            name = unknown[0][:60]
            there = f"it has {', '.join(known)}" if known else "it takes none"
            raise _wrong(f"{self.name} has no argument {name}; {there}.", name)
        if self.asks_endpoint:
            return arguments
        for type_ in self.takes:
            # Fields with another name on the way are looked at by the endpoint that they are for.
            if type_.__struct_fields__ == type_.__struct_encode_fields__:
                try:
                    msgspec.convert(arguments, type_)
                except msgspec.ValidationError as error:
                    raise _wrong(f"{self.name}: {error}.", None) from error
        return arguments


def _wrong(text: str, field: str | None) -> Refused:
    return Refused(400, text, {"type": "invalid", "field": field})


def of_endpoint(
    endpoint: Answering[Any, Any],
    name: str,
    description: str,
    *,
    leaves_out: tuple[str, ...] = (),
    repeatable: bool = False,
    destroys: bool = False,
) -> Tool:
    """The tool that is one endpoint: it takes its parameters and the fields of its body."""
    body = (endpoint.body,) if isinstance(endpoint, BodyCall) else ()

    async def run(call: Call, arguments: Json) -> Any:
        return await call.inner.call(endpoint, arguments)

    return Tool(
        name=name,
        title=endpoint.summary,
        description=description,
        scope=endpoint.scope,
        takes=(endpoint.params, *body),
        run=run,
        leaves_out=frozenset(leaves_out),
        repeatable=repeatable,
        destroys=destroys,
        asks_endpoint=True,
    )


@cache
def schema(types: tuple[type[Struct], ...], leaves_out: frozenset[str]) -> Json:
    """One schema of an object with the fields of all `types`, by the names of their attributes."""
    properties: Json = {}
    required: list[str] = []
    _, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    for type_ in types:
        described = definitions.pop(type_.__name__)
        for attribute, name in zip(
            type_.__struct_fields__, type_.__struct_encode_fields__, strict=True
        ):
            if attribute in leaves_out:
                continue
            properties[attribute] = described["properties"][name]
            if name in described.get("required", ()):
                required.append(attribute)
    found: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        found["required"] = required
    used = msgspec.json.encode(properties)
    # What a definition needs may need others.
    for _ in definitions:
        more = [d for n, d in definitions.items() if f'#/$defs/{n}"'.encode() in used]
        used = msgspec.json.encode([properties, more])
    defs = {n: d for n, d in definitions.items() if f'#/$defs/{n}"'.encode() in used}
    return {**found, "$defs": defs} if defs else found

"""One endpoint as one typed value: what it reads, what it answers, and how it can refuse.

The HTTP front decodes and encodes by it, the description and the types for TypeScript are made
from it, clients call it, and tests enumerate it. Examples lie beside the declarations, in
`anyond.api.examples`, so that nobody who only serves or calls an endpoint loads them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import NODEFAULT, Meta, Struct, inspect

from anyond.model.access import Scope
from anyond.model.errors import AnyondError

P = TypeVar("P", bound=Struct)
"""The parameters of a request: what is in its path, its query string and its headers."""
B = TypeVar("B")
"""The body of a request."""
A = TypeVar("A")
"""The `data` of an answer."""

WEBSOCKET = "WEBSOCKET"
"""Stands in the place of the method of a stream through a WebSocket."""


class Parameter(NamedTuple):
    """A part of the path or of the query string, or a header, as the description has it.

    Args:
        field: the attribute of the parameters, which refusals name.
        name: how it is called in a request.
        place: `path`, `query` or `header`.
        type: without what is annotated.
        text: what it is, for people.
        kind: what a text in it must be; see `anyond.model.fields`.
        hint: what stands for a value in the sentence that it is missing.
    """

    field: str
    name: str
    place: str
    type: Any
    required: bool
    default: Any
    text: str
    example: Any
    kind: str | None
    hint: str


class Endpoint(Struct, Generic[P], frozen=True, kw_only=True, eq=False):
    """One method of one path.

    Args:
        path: the parts in braces are parameters.
        summary: a few words, unique; `text` has the rest.
        params: the parameters of the path, the query string and the headers.
        refusals: those that not every endpoint has.
        granted_by: the scope that a caller needs, where it is not that of the method; see `scope`.
    """

    method: str
    path: str
    summary: str
    params: type[P]
    text: str = ""
    refusals: tuple[type[AnyondError], ...] = ()
    granted_by: Scope | None = None

    @property
    def scope(self) -> Scope:
        """The scope that a caller needs: `read` for GET and streams, else `write`, unless it is
        declared.
        """
        if self.granted_by is not None:
            return self.granted_by
        return Scope.READ if self.method in {"GET", WEBSOCKET} else Scope.WRITE

    @property
    def operation_id(self) -> str:
        """A name for functions of generated clients."""
        words: list[str] = re.findall(r"[A-Za-z]+", self.summary)
        return words[0].lower() + "".join(word.capitalize() for word in words[1:])

    @property
    def verb(self) -> str:
        """The method as it goes over the wire, in lower case."""
        return "get" if self.method == WEBSOCKET else self.method.lower()

    def parameters(self) -> list[Parameter]:
        """The parameters one by one, those of the path first."""
        return parameters(self.params, self.path)


class Answering(Endpoint[P], Generic[P, A], frozen=True, kw_only=True, eq=False):
    """An endpoint that answers JSON in the envelope.

    Args:
        answer: the type of `data`; `None` has its own type.
        status: of a success.
        bare: whether the answer comes without the envelope.
        envelope_fields: further fields of the envelope with their types; the names are attributes
            of the answer.
        cached: whether it has an ETag, and is not sent to who holds it already.
    """

    answer: type[A]
    status: int = 200
    bare: bool = False
    envelope_fields: dict[str, Any] = {}
    cached: bool = False


class Call(Answering[P, A], frozen=True, kw_only=True, eq=False):
    """An endpoint that reads no body."""


class BodyCall(Answering[P, A], Generic[P, B, A], frozen=True, kw_only=True, eq=False):
    """An endpoint that reads a JSON body.

    Args:
        body: the type that the body is decoded as; `bytes` is read as it comes.
        optional: whether it may be left out, and is then what `body` is without arguments.
        described: the type that the description shows, where `body` takes more than that.
    """

    body: type[B]
    optional: bool = False
    described: Any = None


class UploadCall(Answering[P, A], frozen=True, kw_only=True, eq=False):
    """An endpoint that reads a form with a file.

    Args:
        form_field: the name of the part of the form that is the file.
    """

    form_field: str


class Download(Endpoint[P], frozen=True, kw_only=True, eq=False):
    """An endpoint that answers a file, whole or in parts.

    Args:
        media_types: those that it may have.
        content: what the file is, for people.
    """

    media_types: tuple[str, ...]
    content: str


class Stream(Endpoint[P], frozen=True, kw_only=True, eq=False):
    """A stream of frames through a WebSocket.

    Args:
        name: how the union of the frames is called.
        frames: the types of all frames.
        end: when and how the stream ends.
        batch: whether many frames come in one message if the client wants that.
    """

    name: str
    frames: tuple[type[Struct], ...]
    end: str
    batch: bool = False
    method: str = WEBSOCKET


class EventStream(Endpoint[P], frozen=True, kw_only=True, eq=False):
    """A stream of Server-Sent Events.

    Args:
        events: the type of `data` by the name of the event.
        end: when and how the stream ends.
    """

    events: Mapping[str, Any]
    end: str


class Chapter(NamedTuple):
    """Endpoints that belong together."""

    name: str
    text: str
    endpoints: tuple[Endpoint[Any], ...]


def header(name: str) -> Meta:
    """Annotates a parameter that is a header, and not in the query string."""
    return Meta(extra={"header": name})


def parameters(params: type[Struct], path: str) -> list[Parameter]:
    """The parameters of requests for `path`, one by one; those of the path come first."""
    [info] = inspect.multi_type_info([params])
    assert isinstance(info, inspect.StructType)
    found = [_parameter(declared, path) for declared in info.fields]
    return sorted(found, key=lambda parameter: parameter.place != "path")


def _parameter(declared: inspect.Field, path: str) -> Parameter:
    schema: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    type_ = _plain(declared.type, schema, extra)
    name = extra.get("header", declared.encode_name)
    place = "header" if "header" in extra else "query"
    example = (schema.get("examples") or [None])[0]
    return Parameter(
        field=declared.name,
        name=name,
        place="path" if f"{{{name}}}" in path else place,
        type=type_,
        required=declared.required,
        default=None if declared.default is NODEFAULT else declared.default,
        text=schema.get("description", ""),
        example=example,
        kind=extra.get("kind"),
        hint=extra.get("hint", "…"),
    )


def _plain(info: inspect.Type, schema: dict[str, Any], extra: dict[str, Any]) -> Any:
    """The bare type in `info`; collects what is annotated, the outermost last."""
    match info:
        case inspect.Metadata():
            type_ = _plain(info.type, schema, extra)
            schema.update(info.extra_json_schema or {})
            extra.update(info.extra or {})
            return type_
        case inspect.UnionType():
            [other] = [option for option in info.types if not isinstance(option, inspect.NoneType)]
            return _plain(other, schema, extra)
        case inspect.BoolType():
            return bool
        case inspect.IntType():
            return int
        case inspect.EnumType():
            return info.cls
        case inspect.StrType():
            return str
        case _:
            raise TypeError(f"{info} cannot be a parameter")

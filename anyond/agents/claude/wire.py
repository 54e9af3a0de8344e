"""The lines of Claude Code's stream-json protocol, in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct, field

from anyond.agents.json_rpc.jsonrpc import as_dict

_NOTHING = Raw()
_Line = TypeVar("_Line", bound=Struct)

Count = Annotated[int, Meta(ge=0, le=2**53)]
"""A number that every client can hold; JSON may have one of a thousand digits."""

_NESTING = (dict, list)
DEPTH = 100
"""A value that is nested deeper could be read here, and then break whoever writes it again."""

# ---------------------------------------------------------------- what it says


class Delta(Struct):
    """`stop_reason`: of a message that came to its end."""

    type: str = ""
    stop_reason: str | None = None
    text: str = ""
    thinking: str = ""


class MessageHead(Struct):
    id: str = ""


class BlockHead(Struct):
    type: str = ""


class StreamEvent(Struct):
    """One event of a message that is being written; `index` is the block's number in it."""

    type: str
    index: Count = 0
    delta: Delta | None = None
    message: MessageHead | None = None
    content_block: BlockHead | None = None


class Head(Struct):
    """The part of a line that tells what to do with it; all that most lines need."""

    type: str
    subtype: str | None = None
    parent_tool_use_id: str | None = None
    event: StreamEvent | None = None


class Block(Struct):
    """One block of a complete message, of whatever type."""

    type: str
    text: str = ""
    thinking: str = ""
    id: str = ""
    name: str = ""
    input: Any = None
    tool_use_id: str = ""
    content: Any = None
    is_error: bool | None = None


class Message(Struct):
    content: str | list[Block] = ""
    id: str = ""
    model: str | None = None
    usage: Raw = _NOTHING

    @property
    def blocks(self) -> list[Block]:
        """The content; a bare string is one block of text."""
        if isinstance(self.content, str):
            return [Block(type="text", text=self.content)]
        return self.content


class AssistantLine(Struct):
    message: Message
    error: str | None = None


class UserLine(Struct, rename={"is_replay": "isReplay"}):
    """`is_replay`: what it was told, said again in the moment in which it turns to it."""

    message: Message
    tool_use_result: Any = None
    is_replay: bool = False


class SystemLine(Struct):
    """A notice; which fields are there depends on the subtype."""

    session_id: str | None = None
    cwd: str | None = None
    model: str | None = None
    attempt: Count = 0
    max_retries: Count = 0
    retry_delay_ms: float = 0
    error_status: Count | None = None
    error: Any = None
    tool_use_id: str | None = None
    status: str | None = None
    content: Any = None
    message: Any = None
    text: Any = None
    title: Any = None
    summary: Any = None


class Usage(Struct):
    input_tokens: Count | None = 0
    output_tokens: Count | None = 0
    cache_read_input_tokens: Count | None = 0
    cache_creation_input_tokens: Count | None = 0


class ModelUsage(Struct, rename="camel"):
    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_read_input_tokens: Count = 0
    cache_creation_input_tokens: Count = 0


class ResultLine(Struct, rename={"model_usage": "modelUsage"}):
    """The end of a turn. `usage` is the turn's; `model_usage` and the cost are the process's."""

    is_error: bool = False
    api_error_status: Count | None = None
    num_turns: Count = 0
    result: str | None = None
    error: Any = None
    errors: list[str] = field(default_factory=list)
    terminal_reason: str | None = None
    total_cost_usd: float | None = None
    usage: Usage | None = None
    model_usage: dict[str, ModelUsage] = field(default_factory=dict)


class RequestLine(Struct):
    """`request` is decoded apart, so that a bad one can still be refused by its id."""

    request_id: str
    request: Raw = _NOTHING


class Permission(Struct):
    tool_name: str
    input: Raw = _NOTHING
    tool_use_id: str | None = None


class RequestHead(Struct):
    subtype: str


# ---------------------------------------------------------------- what it is told


class Answer(Struct):
    behavior: str = ""
    message: str = ""


class Response(Struct):
    request_id: str
    subtype: str = ""
    response: Answer | None = None
    error: str | None = None


class ResponseLine(Struct):
    response: Response


class ReplyHead(Struct):
    """A reply of its own to us: only whether it went wrong matters."""

    subtype: str = ""


class ReplyLine(Struct):
    response: ReplyHead


_head = msgspec.json.Decoder(Head).decode
usage = msgspec.json.Decoder(Usage).decode
_assistant = msgspec.json.Decoder(AssistantLine).decode
_user = msgspec.json.Decoder(UserLine).decode
_system = msgspec.json.Decoder(SystemLine).decode
_result = msgspec.json.Decoder(ResultLine).decode
request = msgspec.json.Decoder(RequestLine).decode
request_head = msgspec.json.Decoder(RequestHead).decode
permission = msgspec.json.Decoder(Permission).decode
response = msgspec.json.Decoder(ResponseLine).decode
reply = msgspec.json.Decoder(ReplyLine).decode
_anything = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def _as_far_as_known(shape: type[_Line], line: bytes) -> _Line:
    """Decode a line without those of its fields that are of other types than `shape` says."""
    fields = as_dict(anything(line))
    known = {}
    for one in msgspec.structs.fields(shape):
        if one.encode_name in fields:
            with suppress(msgspec.ValidationError):
                msgspec.convert(fields[one.encode_name], one.type)
                known[one.encode_name] = fields[one.encode_name]
    return msgspec.convert(known, shape)


def head(line: bytes) -> Head:
    """Decode the head of a line; a notice is one however odd its other fields are."""
    try:
        return _head(line)
    except msgspec.ValidationError:
        found = _as_far_as_known(Head, line)
        if found.type != "system":
            raise
        return found


def system(line: bytes) -> SystemLine:
    """A line of type `system`: new kinds of notices use the names of fields as they like."""
    try:
        return _system(line)
    except msgspec.ValidationError:
        return _as_far_as_known(SystemLine, line)


def result(line: bytes) -> ResultLine:
    """A line of type `result`: the turn is over, also if its numbers cannot be read."""
    try:
        return _result(line)
    except msgspec.ValidationError:
        found, fields = _as_far_as_known(ResultLine, line), as_dict(anything(line))
        found.is_error |= any(fields.get(sign) for sign in ("is_error", "api_error_status"))
        return found


def assistant(line: bytes) -> AssistantLine:
    """A line of type `assistant`."""
    message = _assistant(line)
    for block in message.message.blocks:
        check_depth(block.input)
    return message


def user(line: bytes) -> UserLine:
    """A line of type `user`, of either direction."""
    message = _user(line)
    check_depth(message.tool_use_result)
    return message


def anything(data: bytes | Raw) -> Any:
    """Any JSON value that can also be written again."""
    value = _anything(data)
    check_depth(value)
    return value


def check_depth(value: Any) -> None:
    """Refuse what is nested deeper than `DEPTH`.

    Raises:
        ValueError: it is.
    """
    if not isinstance(value, _NESTING):
        return
    level = [value]
    for _ in range(DEPTH):
        level = [
            below
            for one in level
            for below in (one.values() if isinstance(one, dict) else one)
            if isinstance(below, _NESTING)
        ]
        if not level:
            return
    raise ValueError("nested too deep")


def _line(message: Mapping[str, Any]) -> bytes:
    return _encode(message) + b"\n"


def user_message(*texts: str) -> bytes:
    """The line of a person's message, of one or more blocks."""
    content = [{"type": "text", "text": text} for text in texts]
    return _line({"type": "user", "message": {"role": "user", "content": content}})


def ask(request_id: str, subtype: str, **more: Any) -> bytes:
    """The line of a request of ours; `more` are its further fields."""
    request = {"subtype": subtype, **more}
    return _line({"type": "control_request", "request_id": request_id, "request": request})


def reply_to(request_id: str, answer: Mapping[str, Any]) -> bytes:
    """The line of an answer to a request of theirs."""
    return _line(
        {
            "type": "control_response",
            "response": {"subtype": "success", "request_id": request_id, "response": answer},
        }
    )


def refuse(request_id: str, error: str) -> bytes:
    """The line that says that a request of theirs cannot be answered."""
    return _line(
        {
            "type": "control_response",
            "response": {"subtype": "error", "request_id": request_id, "error": error},
        }
    )

"""The daemon's own log: its format, and what must never be read in it."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import msgspec
import structlog

_SECRET_KEYS = re.compile(
    r"(?i)(^|_)(pat|token|secret|password|passwd|authorization|cookie|api_?key|credentials?)s?$"
)
_SECRET_TEXTS = re.compile(
    r"\b(?:gh[pousr]_|github_pat_|sk-|xox[abp]-)[A-Za-z0-9_-]{8,}"
    r"|(?i:\b(?:bearer|token|basic)\s+)[A-Za-z0-9._~+/=-]{16,}"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
)
_HIDDEN = "********"
_SELDOM_S = 60.0


def configure(level: str, stream: TextIO | None = None, *, as_json: bool) -> None:
    """Send all logging of this process, that of libraries included, to `stream` as lines.

    Args:
        level: `debug`, `info`, `warning` or `error`; libraries are heard from `warning` on.
        stream: standard error by default; coloured if it is a terminal and NO_COLOR is not set.
        as_json: whether lines are JSON objects.
    """
    stream = sys.stderr if stream is None else stream
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _redacted,
    ]
    render: structlog.typing.Processor
    if as_json:
        render = structlog.processors.JSONRenderer(serializer=_json)
    else:
        render = structlog.dev.ConsoleRenderer(
            colors=stream.isatty() and not os.environ.get("NO_COLOR"),
            exception_formatter=structlog.dev.plain_traceback,  # the other one prints variables
        )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    threshold = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))
    logging.getLogger("anyond").setLevel(threshold)
    logging.getLogger("trio.serve_listeners").filters[:] = [_Seldom()]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=_named,
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


class _Seldom(logging.Filter):
    """Lets a line through once a minute, in one line: without free descriptors there are ten a
    second, each with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._last = -_SELDOM_S

    def filter(self, record: logging.LogRecord) -> bool:
        if record.created - self._last < _SELDOM_S:
            return False
        self._last, record.exc_info = record.created, None
        return True


def _named(*args: Any) -> logging.Logger:
    name = args[0] if args and str(args[0]).startswith("anyond") else "anyond"
    return logging.getLogger(name)


def _redacted(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if not key.startswith("_"):  # those are structlog's own
            event[key] = _hidden(key, value)
    return event


def _hidden(key: str, value: Any) -> Any:
    if value and _SECRET_KEYS.search(key):
        return _HIDDEN
    if isinstance(value, str):
        return _SECRET_TEXTS.sub(_HIDDEN, value)
    if isinstance(value, Mapping):
        return {str(k): _hidden(str(k), v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden("", item) for item in value]
    return value


def _json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode("utf-8", "replace")

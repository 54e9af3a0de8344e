"""Changing one table inside a TOML text while the rest stays, comments too.

tomlkit is loaded at the first change, not at the start: few people ever make one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tomlkit


class NotToml(ValueError):
    """The text is not TOML; the sentence says where it is not."""


def decode(text: str) -> dict[str, Any]:
    """The value of `text`. Raises `NotToml`."""
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise NotToml(f"{error}.") from error


def replace(text: str, key: str, value: Mapping[str, Any]) -> str:
    """`text` with `value` as its table `key`; tables in it that are as they should be stay.

    Raises:
        NotToml: `text` is none, or it is one that cannot be changed without damage.
    """
    from tomlkit.exceptions import TOMLKitError

    new_value = {**decode(text), key: value}
    for write in (_changed, _rewritten):
        try:
            new = write(text, key, value)
            found = decode(new)
        except (TOMLKitError, LookupError, TypeError, ValueError):
            # tomlkit gives up on some orders of tables, each time with another error, and writes
            # others in a way that is no TOML any more.
            continue
        if {key: {}, **found} == new_value:
            return new
    raise NotToml("It is written in a way that cannot be changed safely.")


def _changed(text: str, key: str, value: Mapping[str, Any]) -> str:
    """Table by table, each change on a fresh document: tomlkit loses count after several."""
    import tomlkit
    from tomlkit.items import InlineTable

    for name in list(decode(text).get(key, {})):
        if name not in value:
            document = tomlkit.parse(text)
            if len(_table(document, key)) == 1:
                del document[key]
            else:
                del _table(document, key)[name]
            text = tomlkit.dumps(document)
    for name, new_value in value.items():
        document = tomlkit.parse(text)
        table = _table(document, key)
        if name not in table:
            table[name] = _item(new_value, inline=isinstance(table, InlineTable))
        else:
            _change(table, name, new_value)
        text = tomlkit.dumps(document)
    return text.rstrip("\n") + "\n" if text.strip() else ""


def _rewritten(text: str, key: str, value: Mapping[str, Any]) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    document.pop(key, None)
    return _changed(tomlkit.dumps(document), key, value)


def _table(document: tomlkit.TOMLDocument, key: str) -> MutableMapping[str, Any]:
    import tomlkit

    if key not in document:
        document[key] = tomlkit.table(is_super_table=True)
    found = document[key]
    if not isinstance(found, MutableMapping):
        raise NotToml(f"{key!r} is not a table there.")
    return found


def _change(table: MutableMapping[str, Any], name: str, new_value: Any) -> None:
    old = table[name]
    if not (isinstance(old, MutableMapping) and isinstance(new_value, Mapping)):
        if old != new_value:
            table[name] = _item(new_value, inline=True)
        return
    for inner in [inner for inner in old if inner not in new_value]:
        del old[inner]
    for inner, value in new_value.items():
        if inner in old:
            _change(old, inner, value)
        else:
            old[inner] = _item(value, inline=True)


def _item(value: Any, *, inline: bool) -> Any:
    """A server is a table of its own; what it holds stands in its lines."""
    import tomlkit

    if not isinstance(value, Mapping):
        return value
    table = tomlkit.inline_table() if inline else tomlkit.table()
    for name, inner in value.items():
        table[name] = _item(inner, inline=True)
    if not inline:
        table.add(tomlkit.nl())
    return table

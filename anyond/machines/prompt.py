"""Prompts for agents from a person's words: tags expanded, images linked and found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

# Code is left alone: `@property` is not a tag there. What is not closed is code to its end.
_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)
# A mention begins where a word can begin; the @ of an address, a path or an escape is none.
_MENTION = re.compile(r"(?<![^\s(\[{<\"'“‘«„,;:])@([^\s@]+)")
_CLOSING = ".,;:!?)]}>\"'”’»…"
_IMAGE = re.compile(r"!\[([^\]]*)\]\((?:\./)?(\.vibe/images/[^\s()<>]+)\)")
_UNSAFE = re.compile(r"[\[\]\\`<>\r\n]+")


def expand_tags(text: str, content: Callable[[str], str | None]) -> str:
    """`text` with the content of a tag in place of each `@tag_name`.

    Punctuation behind a mention belongs to the sentence, unless it belongs to the name. What is
    no tag stays as it is, code too, and `@` inside the content of a tag means nothing.

    Args:
        content: what the tag of a name stands for, or None if there is no such tag.
    """

    def mentioned(found: re.Match[str]) -> str:
        word = found[1]
        name = word
        while name:
            meant = content(name)
            if meant is not None:
                return meant + word[len(name) :]
            if name[-1] not in _CLOSING:
                break
            name = name[:-1]
        return found[0]

    pieces = _CODE.split(text)
    pieces[::2] = [_MENTION.sub(mentioned, piece) for piece in pieces[::2]]
    return "".join(pieces)


def show_images(text: str, images: Iterable[tuple[str, str]]) -> str:
    """`text` with a link at its end to each image that it does not mention yet.

    Args:
        images: the name that a person knows, and the path in the worktree, of each.
    """
    links = [
        f"![{_UNSAFE.sub(' ', name).strip()}]({path})" for name, path in images if path not in text
    ]
    if not links:
        return text
    return "\n\n".join([*([text] if text.strip() else []), "\n".join(links)])


def find_images(text: str, worktree: str) -> str:
    """`text` with absolute paths in its links to images of the worktree.

    An agent may change its directory, or resolve paths against another one.
    """

    def absolute(found: re.Match[str]) -> str:
        path = f"{worktree}/{found[2]}"
        if re.search(r"[\s()<>]", path):
            path = f"<{path}>"
        return f"![{found[1]}]({path})"

    return _IMAGE.sub(absolute, text)

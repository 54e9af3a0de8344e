"""Pages from outside of docs/ in the site, and links that lead out of docs/: a hook of mkdocs.

Pages link to each other as files of the repository, so that they work in a repository browser.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "systemd/README.md": "systemd/README.md",
    "anyond/shim/README.md": "shim/README.md",
    "campaigns/README.md": "campaigns/README.md",
    "clients/typescript/types.ts": "clients/typescript/types.ts",
}
"""What the site has from outside of docs/: path in the repository, path in the site."""

_LINK = re.compile(r"(?<=\]\()(?P<path>[^)#:\s]+)(?=[)#])")
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_HEAD_OF_BLOCK = re.compile(r"^```(?P<language>\w+) \w+=(?P<name>\S+).*$", re.MULTILINE)


def in_site(path: str) -> str | None:
    """Where the site has a file or folder of the repository; None if it lacks it."""
    if path in OUTSIDE:
        return OUTSIDE[path]
    folder, _, rest = path.partition("/")
    if folder != "docs":
        return None
    return f"{rest}/README.md" if (ROOT / path).is_dir() else rest


def for_site(text: str, source: str) -> str:
    """The text of a page with its links and the heads of its blocks as the site needs them.

    Links to what the site lacks stay as they are: a strict build refuses them.

    Args:
        source: the path of the page in the repository.
    """
    start = posixpath.dirname(in_site(source) or "")

    def rewritten(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), match["path"]))
        there = in_site(target)
        return match["path"] if there is None else posixpath.relpath(there, start or ".")

    parts = _FENCED.split(text)
    parts[::2] = [_LINK.sub(rewritten, part) for part in parts[::2]]
    # What tests read at the head of a block becomes its title.
    parts[1::2] = [_HEAD_OF_BLOCK.sub(r'```\g<language> title="\g<name>"', p) for p in parts[1::2]]
    return "".join(parts)


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """Add what is outside of docs/ (called by mkdocs)."""
    from mkdocs.structure.files import File

    for source, path in OUTSIDE.items():
        files.append(File.generated(config, path, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite the links of a page (called by mkdocs)."""
    return for_site(markdown, Path(page.file.abs_src_path).relative_to(ROOT).as_posix())

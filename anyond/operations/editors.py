"""Opening a directory or file in the editor of a person, here or over SSH."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from anyond.git.commits import deletion
from anyond.model.configuration.settings import Editor, EditorType
from anyond.model.launch import Launch
from anyond.model.refusals.requests import Impossible, Invalid, NotFound
from anyond.operations.subject import Subject

PROGRAMS = {
    EditorType.VS_CODE: ("code", "Install VS Code's command line launcher `code`."),
    EditorType.CURSOR: ("cursor", "Install Cursor's command line launcher `cursor`."),
    EditorType.WINDSURF: ("windsurf", "Install Windsurf's command line launcher `windsurf`."),
    EditorType.INTELLI_J: ("idea", "Make IntelliJ's command line launcher `idea`."),
    EditorType.ZED: ("zed", "Install Zed's command line launcher `zed`."),
    EditorType.XCODE: ("xed", "Xcode has `xed`; it exists on macOS only."),
}

SCHEMES = {
    EditorType.VS_CODE: "vscode",
    EditorType.CURSOR: "cursor",
    EditorType.WINDSURF: "windsurf",
}
"""The editors that open a directory of another machine when they are given a URL."""


class View(Struct, frozen=True):
    """A directory to open, or a file in it."""

    directory: Path
    file: Path | None = None

    @property
    def path(self) -> Path:
        return self.file or self.directory


def view_of_attempt(subject: Subject, file_path: str | None) -> View:
    """The worktree of an attempt, or the file in it that `file_path` names. Blocks on the disk.

    Raises:
        Invalid: the path leads out of the worktree.
        NotFound: there is no such file.
    """
    root = subject.worktree
    if not file_path:
        return View(root)
    file = root / deletion.contained(root, file_path)
    if not os.path.exists(file):  # which, unlike that of Path, does not raise for odd names
        raise NotFound("file", file_path)
    if not file.resolve().is_relative_to(root.resolve()):
        # An editor follows a link wherever it leads.
        raise Invalid("file_path", f"{file_path!r} leads out of the worktree.")
    return View(root, file)


def remote_url(settings: Editor, chosen: EditorType | None, view: View) -> str | None:
    """The URL that opens it in the person's editor on another machine; None if it is to be opened
    here."""
    scheme = SCHEMES.get(chosen or settings.editor_type)
    host = (settings.remote_ssh_host or "").strip()
    if scheme is None or not host:
        return None
    user = (settings.remote_ssh_user or "").strip()
    whom = quote(f"{user}@{host}" if user else host, safe="@:[]")
    where = quote(str(view.path), safe="/")
    start = ":1:1" if view.file is not None and not view.file.is_dir() else ""
    return f"{scheme}://vscode-remote/ssh-remote+{whom}{where}{start}"


def command(settings: Editor, chosen: EditorType | None, view: View) -> Launch:
    """The program that shows it on this machine.

    Raises:
        Impossible: the custom command of the settings is none.
    """
    editor = chosen or settings.editor_type
    if editor is EditorType.CUSTOM:
        words, install = _custom(settings.custom_command or ""), "Check the editor's settings."
    else:
        program, install = PROGRAMS[editor]
        words = (program,)
    return Launch(
        argv=(*words, str(view.path)), cwd=str(view.directory), stdin=False, install=install
    )


def _custom(text: str) -> tuple[str, ...]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Impossible("editor.custom_command", f"{text!r} is no command: {error}.") from error
    if not words:
        raise Impossible("editor.custom_command", "is not set; set it, or choose another editor.")
    return (str(Path(words[0]).expanduser()), *words[1:])

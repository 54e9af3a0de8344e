"""What operations decide without doing anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyond.model.configuration.settings import Editor, EditorType, Executor, ExecutorProfileId
from anyond.model.refusals.requests import Impossible
from anyond.model.rows import (
    CodingAgentInitialRequest,
    ExecutorAction,
    ScriptContext,
    ScriptRequest,
)
from anyond.operations.editors import View, command, remote_url
from anyond.operations.turn import chain

VIEW = View(Path("/w/tree"))
AGAIN = ExecutorAction(
    typ=CodingAgentInitialRequest(
        prompt="Go on", executor_profile_id=ExecutorProfileId(executor=Executor.ACP)
    )
)


def test_the_scripts_of_a_setup_come_in_order_and_then_the_agent_again() -> None:
    def script(text: str) -> ScriptRequest:
        return ScriptRequest(script=text, context=ScriptContext.SETUP)

    log_in = ExecutorAction(typ=script("log in"), next_action=AGAIN)
    assert chain.agent_setup(["install", "log in"], AGAIN) == ExecutorAction(
        typ=script("install"), next_action=log_in
    )
    assert chain.agent_setup(["install"], None) == ExecutorAction(typ=script("install"))


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("vim", ("vim", "/w/tree")),
        ("'my editor' -n \"a b\" c\\ d", ("my editor", "-n", "a b", "c d", "/w/tree")),
        ("env A=1 vi", ("env", "A=1", "vi", "/w/tree")),
    ],
)
def test_a_custom_command_is_split_and_gets_the_path_last(text: str, argv: tuple[str]) -> None:
    settings = Editor(editor_type=EditorType.CUSTOM, custom_command=text)
    assert command(settings, None, VIEW).argv == argv
    assert command(settings, EditorType.ZED, VIEW).argv == ("zed", "/w/tree")


@pytest.mark.parametrize("text", [None, "", "  ", "'open"])
def test_what_is_no_command_is_refused(text: str | None) -> None:
    settings = Editor(editor_type=EditorType.CUSTOM, custom_command=text)
    with pytest.raises(Impossible):
        command(settings, None, VIEW)


@pytest.mark.parametrize(
    ("editor", "user", "path", "url"),
    [
        ("VS_CODE", "ada", "/w/t", "vscode://vscode-remote/ssh-remote+ada@host/w/t"),
        ("CURSOR", None, "/w/a b#", "cursor://vscode-remote/ssh-remote+host/w/a%20b%23"),
        ("WINDSURF", " ", "/w", "windsurf://vscode-remote/ssh-remote+host/w"),
        ("ZED", "ada", "/w", None),
        ("CUSTOM", "ada", "/w", None),
    ],
)
def test_only_editors_that_know_urls_are_opened_on_the_other_machine(
    editor: str, user: str | None, path: str, url: str | None
) -> None:
    settings = Editor(remote_ssh_host="host", remote_ssh_user=user)
    assert remote_url(settings, EditorType(editor), View(Path(path))) == url
    assert remote_url(Editor(), EditorType(editor), View(Path(path))) is None

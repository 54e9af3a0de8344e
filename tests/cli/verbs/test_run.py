"""From a sentence to a change, on a terminal and on a pipe."""

from __future__ import annotations

import json

import pytest
import trio

from anyond.cli.verbs.run import titled
from tests.support.terminals.command_line import CommandLine


def test_a_person_hands_over_answers_and_sees_the_end(anyon: CommandLine) -> None:
    with anyon.terminal("run", "Describe the tea timer", "-a", "demo") as terminal:
        terminal.expect("a project of Anyon? [Y/n]")
        terminal.type("\n")
        terminal.expect("DEMO works on anyon/describe-the-tea-timer")
        terminal.expect("› Describe the tea timer")
        terminal.expect("✓ edit NOTES.md (+")
        terminal.expect("? `git status --short`")
        terminal.expect("[y]es")
        terminal.type("?")
        terminal.expect('"command"')
        terminal.expect("[y]es")
        terminal.type("y")
        terminal.expect("✓ $ git status --short")
        terminal.expect("1 finished · 1 file · +")
        terminal.expect("anyon diff 1")
        terminal.expect("anyon merge 1")
        assert terminal.end() == 0


def test_ctrl_c_leaves_it_running_and_twice_stops_it(anyon: CommandLine) -> None:
    with anyon.terminal("run", "-y", "Wait", "-a", "demo") as terminal:
        terminal.expect("[y]es")
        terminal.type("\x03")
        terminal.expect("It goes on. Back: `anyon attach")
        terminal.type("\x03")
        terminal.expect("Stop it? [y/N]")
        terminal.type("y\n")
        terminal.expect("Stopped.")
        assert terminal.end() == 130
    assert anyon.json("ps")[0]["state"] == "stopped"


def test_a_pipe_gets_lines_and_nobody_is_asked(anyon: CommandLine) -> None:
    done = anyon.run("run", "-y", "Second", "-a", "demo")
    assert done.returncode == 6
    assert "? `git status --short`" in done.stdout
    assert "\x1b" not in done.stdout
    assert "anyon answer" in done.stderr
    anyon.well("answer", "-", "--no", "Not now.")
    assert "› Not now." in anyon.well("attach", "-")
    for decision, code in ((("--allow", "*"), 0), (("--deny",), 0)):
        done = anyon.run("run", "-y", "Third", "-a", "demo", *decision, "--json")
        assert done.returncode == code, done.stderr
        result = json.loads(done.stdout)
        assert result["succeeded"]
        assert [one["path"] for one in result["files"]] == ["NOTES.md"]
        assert result["additions"] > 0


def test_what_is_wrong_is_said_before_anything_is_made(anyon: CommandLine) -> None:
    outside = anyon.run("run", "x", "-a", "demo", cwd=anyon.daemon.root)
    assert (outside.returncode, "git init" in outside.stderr) == (1, True)
    unknown = anyon.run("run", "-y", "x", "-a", "tea", "--json")
    assert (unknown.returncode, json.loads(unknown.stderr)["error"]["type"]) == (2, "unknown_agent")
    assert anyon.run("run", "-y", "-a", "demo").returncode == 2
    assert anyon.run("run", "-y", "x", "--timeout", "soon").returncode == 2
    missing = anyon.run("run", "-y", "x", "-a", "demo", "-b", "no-such-branch", "--json")
    assert missing.returncode == 1


def test_time_is_up(anyon: CommandLine) -> None:
    with anyon.terminal("run", "-y", "Wait", "-a", "demo", "--timeout", "2") as terminal:
        terminal.expect("The time is up")
        assert terminal.end() == 124


@pytest.mark.parametrize(
    ("text", "title", "made"),
    [
        ("Brew", None, ("Brew", None)),
        ("Brew\n\nGreen tea.\n", None, ("Brew", "Green tea.")),
        ("x" * 90, None, ("x" * 79 + "…", "x" * 90)),
        ("Brew", "Tea", ("Tea", "Brew")),
    ],
)
def test_title_and_description_are_the_prompt_once(
    text: str, title: str | None, made: tuple[str, str | None]
) -> None:
    assert titled(text, title) == made


def test_an_agent_that_fails_is_exit_code_5(anyon: CommandLine) -> None:
    async def use() -> None:
        async with anyon.daemon.client():
            await anyon.daemon.use_fake_agent()

    trio.run(use)
    done = anyon.run("run", "-y", "say I try\nfail no tea left", "-a", "acp")
    assert done.returncode == 5
    assert "I try\n" in done.stdout
    assert "no tea left" in done.stdout
    assert "ended without success" in done.stdout
    assert "anyon retry" in done.stdout
    merged = anyon.run("run", "-y", "-a", "acp", "write tea.txt green", "--merge=squash", "--json")
    assert merged.returncode == 0, merged.stderr
    assert json.loads(merged.stdout)["attempt"]["state"] == "merged"

"""Scripts have what a terminal of the person has, whatever their profile does."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from anyond.shim import script_shell
from anyond.shim.script_shell import command_line, environment_of, joined_path

GUARD = "case $- in *i*) ;; *) return;; esac\n"
"""How a ~/.bashrc of Debian begins."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "home"
    made.mkdir()
    monkeypatch.setenv("HOME", str(made))
    monkeypatch.setenv("SHELL", program("bash"))
    for name in ("ENV", "BASH_ENV", "ZDOTDIR", "XDG_CONFIG_HOME", "NVM_DIR", "PROMPT_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    return made


def program(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, name
    return found


def run(script: str, how: str = "terminal", *names: str, **more: str) -> tuple[int, str, str]:
    """Exit code, output and complaints of a script."""
    done = subprocess.run(
        command_line(how, names, script),
        env={**os.environ, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_functions_and_variables_of_a_terminal_are_there(home: Path) -> None:
    (home / ".profile").write_text('export SESSION=1\n[ -n "$BASH" ] && . ~/.bashrc\n')
    (home / ".bashrc").write_text(f"{GUARD}nvm() {{ echo nvm $1; }}\nexport RC=2\necho noise\n")
    script = "nvm use && echo $SESSION$RC$ANYON_READS_PROFILE"
    assert run(script) == (0, "nvm use\n12\n", "")
    assert run("echo $SESSION$RC; nvm", "login")[:2] == (127, "1\n")
    assert run("echo $SESSION$RC", "none") == (0, "\n", "")


@pytest.mark.parametrize("login_file", ["", "export OTHER=1\n"])
def test_a_bashrc_is_read_once_whoever_reads_it(home: Path, login_file: str) -> None:
    (home / ".bash_profile").write_text(login_file or ". ~/.bashrc\n")
    (home / ".bashrc").write_text("export TIMES=x$TIMES\nf() { :; }\n")
    assert run("f && echo $TIMES") == (0, "x\n", "")


def test_what_a_prompt_would_do_is_done_in_the_directory_of_the_script(home: Path) -> None:
    (home / ".bashrc").write_text('_hook() { export HERE=$PWD; }\nPROMPT_COMMAND="_hook;true"\n')
    assert run("echo $HERE") == (0, f"{os.getcwd()}\n", "")


def test_the_script_runs_as_ever(home: Path) -> None:
    (home / ".bashrc").write_text("shopt -s extglob\nf() { case $1 in !(a)) :;; esac; }\nset -u\n")
    code, out, err = run('#!/bin/bash\nf b\necho "$-" $0 $#\nnonsense-of-nobody\nexit 3')
    assert (code, out) == (3, "hBc bash 0\n")
    assert "line 4: nonsense-of-nobody" in err
    assert run("echo $PWD; (exit 7) || false; kill -TERM $$")[0] == -15
    assert run("true && !(false) && ls /dev/fd/9")[0] == 2


def test_a_profile_cannot_change_what_the_project_has_set(home: Path) -> None:
    (home / ".bashrc").write_text("export PORT=1 A=profile B=profile\nunset C\ncd /\n")
    code, out, _ = run("echo $PORT $A $B $C; pwd", "terminal", "PORT", "A", "C", PORT="2", C="c")
    assert (code, out) == (0, f"2 profile c\n{os.getcwd()}\n")


def test_a_path_is_put_in_front_and_none_is_lost() -> None:
    assert joined_path(b"/venv:/usr/bin:/snap", b"/nvm:/usr/bin:/bin") == (
        b"/venv:/nvm:/usr/bin:/bin:/snap"
    )
    assert joined_path(b"/usr/bin", b"/nvm:/usr/bin") == b"/nvm:/usr/bin"
    assert joined_path(b"", b"/bin") == joined_path(b"/bin", b"") == b"/bin"


def test_a_profile_that_becomes_another_shell_is_followed(home: Path) -> None:
    (home / ".bashrc").write_text("export FIRST=1\nexec sh\n")
    assert run("echo $FIRST") == (0, "1\n", "")


def test_a_profile_that_ends_the_shell_costs_only_itself(home: Path) -> None:
    (home / ".profile").write_text("export LOGIN=1\n")
    (home / ".bashrc").write_text("exit 1\n")
    code, out, err = run("echo $LOGIN")
    assert (code, out) == (0, "1\n")
    assert "what a login shell of bash has" in err
    (home / ".profile").write_text("exit 1\n")
    code, out, err = run("echo x$LOGIN")
    assert (code, out) == (0, "x\n")
    assert "runs without it" in err


def test_a_profile_that_hangs_is_given_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_shell, "TIMEOUT_S", {"terminal": 0.5, "login": 20.0})
    (home / ".profile").write_text("export LOGIN=1\n")
    (home / ".bashrc").write_text(f"echo $$ > {home}/pid\nsleep 1000\n")
    before = time.monotonic()
    profile = environment_of("terminal", set())
    assert time.monotonic() - before < 20
    assert profile.environ[b"LOGIN"] == b"1"
    assert profile.remarks
    with pytest.raises(ProcessLookupError):
        os.kill(int((home / "pid").read_text()), 0)


def test_a_profile_that_asks_gets_no_answer_and_waits_for_none(home: Path) -> None:
    (home / ".bashrc").write_text("read -p 'Load? ' x\nread y < /dev/tty\nexport ASKED=1\n")
    assert run("echo $ASKED")[:2] == (0, "1\n")


@pytest.mark.parametrize("shell", ["sh", "dash", "zsh", "fish", "ksh"])
def test_other_shells_lend_what_they_have(
    home: Path, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    monkeypatch.setenv("SHELL", shutil.which(shell) or program("sh"))
    (home / "nvm").mkdir()
    (home / "nvm" / "nvm.sh").write_text("nvm() { echo nvm-of-$1; }\n")
    config = home / ".config" / "fish"
    config.mkdir(parents=True)
    # Without it, the first fish of a home reads all manual pages in the background.
    (home / ".local" / "share" / "fish" / "generated_completions").mkdir(parents=True)
    (config / "config.fish").write_text(f"set -x NVM_DIR {home}/nvm\n")
    for file in (".profile", ".zshrc"):
        (home / file).write_text(f"export NVM_DIR={home}/nvm\n")
    assert run("nvm bash") == (0, "nvm-of-bash\n", "")


def test_who_has_no_shell_has_no_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("nologin", "missing"):
        monkeypatch.setenv("SHELL", str(tmp_path / name))
        monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
        assert script_shell.shell_of(dict(os.environ)) is None
    assert environment_of("terminal", set()).environ == dict(os.environb)


def test_a_zsh_that_refuses_unset_parameters_lends_what_it_has(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", shutil.which("zsh") or program("bash"))
    for file in (".zshrc", ".bashrc"):
        (home / file).write_text("set -u\nexport RC=1\n")
    assert run("echo $RC") == (0, "1\n", "")

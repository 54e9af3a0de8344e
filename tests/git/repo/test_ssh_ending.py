"""A push over ssh that does not arrive: refused or not reached, in whatever language it is told."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from anyond.git.repo import pushing, remotes
from anyond.git.repo.repository import Repositories
from anyond.model.errors import AnyondError
from anyond.model.refusals.remotes import (
    InsufficientPermissions,
    RepositoryNotFound,
    Unreachable,
)
from tests.support.checkout import Checkout

GERMAN = "Zugriff verweigert. Kein Schlüssel passt."


class Server:
    """Something that listens, and says what it is told to whoever comes."""

    def __init__(self, greeting: bytes) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._greeting = greeting
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return  # closed
            with client:
                client.sendall(self._greeting)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def greeting() -> Iterator[Server]:
    server = Server(b"Welcome.\r\nSSH-2.0-Fake\r\n")
    yield server
    server.close()


@pytest.fixture
def silent() -> Iterator[Server]:
    server = Server(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    yield server
    server.close()


def program(tmp_path: Path, name: str, script: str, port: int | None = None) -> Path:
    """An ssh; one that can be asked where it would go if `port` is given."""
    file = tmp_path / name
    there = f"echo 'hostname 127.0.0.1'; echo 'port {port}'; exit 0" if port else "exit 255"
    file.write_text(f'#!/bin/sh\nif [ "$1" = -G ]; then {there}; fi\n{script}\n')
    file.chmod(0o755)
    return file


async def push(repos: Repositories, attempt: Checkout, url: str) -> None:
    attempt.git("config", "remote.origin.url", url)
    remote = await remotes.of_target(attempt.path, "main")
    await pushing.push(repos, attempt.path, remote, "work")


def set_up(how: str, file: Path, repo: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "GIT_SSH_COMMAND":
        monkeypatch.setenv(how, f"{shlex.quote(os.fspath(file))} -v")
    elif how == "GIT_SSH":
        monkeypatch.setenv(how, os.fspath(file))
    elif how == "core.sshCommand":
        repo.git("config", how, shlex.quote(os.fspath(file)))
    else:
        monkeypatch.setenv("PATH", f"{file.parent}:{os.environ['PATH']}")


HOWS = ["GIT_SSH_COMMAND", "GIT_SSH", "core.sshCommand", "PATH"]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(
    ("name", "ended", "words", "expected"),
    [
        ("ssh", 255, GERMAN, InsufficientPermissions),
        ("ssh", 1, "ERREUR : vous ne pouvez pas écrire ici", InsufficientPermissions),
        ("ssh", 128, "fatal: '/tea' does not appear to be a git repository", RepositoryNotFound),
        ("ssh", 255, "ssh: Could not resolve hostname example.org: x", Unreachable),
        ("ssh", 255, "ssh: connect to host x port 22: Connection refused", Unreachable),
        ("plink", 1, GERMAN, InsufficientPermissions),
        ("tunnel", 7, GERMAN, InsufficientPermissions),
    ],
)
async def test_who_refuses_is_told_by_how_ssh_ends(
    repos: Repositories,
    repo: Checkout,
    attempt: Checkout,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    name: str,
    ended: int,
    words: str,
    expected: type[AnyondError],
) -> None:
    if how == "PATH" and name != "ssh":
        how = "GIT_SSH"
    (tmp_path / "my programs").mkdir()
    file = program(tmp_path / "my programs", name, f"echo {shlex.quote(words)} >&2; exit {ended}")
    set_up(how, file, repo, monkeypatch)
    with pytest.raises(expected) as refusal:
        await push(repos, attempt, "git@host.invalid:ada/tea.git")
    assert expected is RepositoryNotFound or words[:20] in str(refusal.value)


async def test_a_program_whose_place_is_not_utf8_is_run(
    repos: Repositories, attempt: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / os.fsdecode(b"schl\xfcssel")
    folder.mkdir()
    file = program(folder, "ssh", "echo Nein. >&2; exit 1")
    monkeypatch.setenv("GIT_SSH_COMMAND", shlex.quote(os.fspath(file)))
    with pytest.raises(InsufficientPermissions, match="Nein"):
        await push(repos, attempt, "git@host.invalid:ada/tea.git")


async def test_whether_anybody_is_there_is_tried_out(
    repos: Repositories,
    attempt: Checkout,
    greeting: Server,
    silent: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    for port, expected in (
        (greeting.port, InsufficientPermissions),
        (silent.port, Unreachable),
        (nobody, Unreachable),
    ):
        file = program(tmp_path, "ssh", "echo 'Das ging nicht.' >&2; exit 255", port)
        monkeypatch.setenv("GIT_SSH_COMMAND", os.fspath(file))
        with pytest.raises(expected, match="Das ging nicht"):
            await push(repos, attempt, f"ssh://git@host.invalid:{port}/ada/tea.git")


async def test_openssh_is_asked_where_it_would_go(
    repos: Repositories, attempt: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("Host alias\nHostName 127.0.0.1\nPort 1\n")
    monkeypatch.setenv("GIT_SSH_COMMAND", f"ssh -F {tmp_path / 'config'}")
    with pytest.raises(Unreachable, match="Connection refused"):
        await push(repos, attempt, "git@alias:ada/tea.git")


@pytest.mark.parametrize("how", HOWS)
async def test_a_push_over_ssh_arrives(
    repos: Repositories,
    repo: Checkout,
    attempt: Checkout,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    hub = tmp_path / "hub.git"
    subprocess.run(["git", "init", "-q", "--bare", hub], check=True)
    # As git gives them to OpenSSH: options, host, command.
    file = program(tmp_path, "ssh", 'while [ "$1" != hub ]; do shift; done; shift; sh -c "$*"', 22)
    set_up(how, file, repo, monkeypatch)
    await push(repos, attempt, f"ssh://hub:2222{hub}")
    assert Checkout(hub).oid("refs/heads/work") == attempt.oid()
    (hub / "hooks").mkdir(exist_ok=True)
    hook = hub / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'Nicht am Freitag.' >&2\nexit 1\n")
    hook.chmod(0o755)
    attempt.commit({"more.txt": "more\n"})
    with pytest.raises(AnyondError, match="Nicht am Freitag") as refusal:
        await push(repos, attempt, f"ssh://hub:2222{hub}")
    assert refusal.value.type == "rejected"

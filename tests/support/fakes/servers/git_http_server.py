"""Git's smart HTTP on loopback, through `git http-backend`; only who has a token gets in.

What it was sent is on record, so that tests can say where a token went and where it did not.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Seen:
    """One request that came in."""

    method: str
    path: str
    authorization: str | None


@dataclass
class GitHttp:
    """Bare repositories below a directory, as `http://127.0.0.1:<port>/<owner>/<name>.git`.

    Args:
        root: where the repositories are.
        tokens: who may come in with what; the value is the name of the person.
        answers: part of a path -> the status and text that requests there get instead.
        redirects: part of a path -> where such requests are sent on to.
    """

    root: Path
    tokens: dict[str, str] = field(default_factory=dict)
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def repository(self, slug: str) -> Path:
        """A bare repository `owner/name`, made if it is not there."""
        path = self.root / f"{slug}.git"
        if not path.exists():
            subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
        return path

    def refs(self, slug: str) -> dict[str, str]:
        """The branches of a repository: name -> commit."""
        ask = ["git", "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads"]
        reported = subprocess.run(
            ask, cwd=self.repository(slug), check=True, capture_output=True, text=True
        )
        return dict(line.split(" ") for line in reported.stdout.splitlines())

    def person(self, authorization: str | None) -> str | None:
        """Whose token that header has; git sends it as the password of `x-access-token`."""
        kind, _, text = (authorization or "").partition(" ")
        if kind.lower() != "basic":
            return None
        user, _, token = base64.b64decode(text).decode().partition(":")
        return self.tokens.get(token) if user == "x-access-token" else None


def answer_git(handler: BaseHTTPRequestHandler, git: GitHttp) -> None:
    """Answer one request to a repository."""
    path, _, query = handler.path.partition("?")
    git.seen.append(Seen(handler.command, handler.path, handler.headers.get("Authorization")))
    body = read_body(handler)
    for part, target in git.redirects.items():
        if part in path:
            return send(handler, 301, b"", {"Location": target + path + (query and f"?{query}")})
    for part, (status, text) in git.answers.items():
        if part in path:
            return send(handler, status, text.encode(), {"Content-Type": "text/plain"})
    person = git.person(handler.headers.get("Authorization"))
    if person is None:
        return send(handler, 401, b"", {"WWW-Authenticate": 'Basic realm="GitHub"'})
    slug = re.match(r"/([^/]+/[^/]+?)(?:\.git)?/(info|git-|HEAD|objects)", path)
    if slug is None or not (git.root / f"{slug[1]}.git").exists():
        return send(handler, 404, b"Repository not found.", {"Content-Type": "text/plain"})
    path = f"/{slug[1]}.git{path[slug.start(2) - 1 :]}"
    program = shutil.which("git")
    assert program is not None
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(git.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": handler.command,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_USER": person,
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""),
    }
    done = subprocess.run(
        [program, "http-backend"], input=body, env=environment, capture_output=True, check=True
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    return send(handler, int(headers.pop("Status", "200").split(" ")[0]), content, headers)


def read_body(handler: BaseHTTPRequestHandler) -> bytes:
    """All of a request's body, also if it comes in chunks."""
    if handler.headers.get("Transfer-Encoding", "").lower() == "chunked":
        body = b""
        while size := int(handler.rfile.readline().strip(), 16):
            body += handler.rfile.read(size)
            handler.rfile.readline()
        handler.rfile.readline()
        return body
    return handler.rfile.read(int(handler.headers.get("Content-Length", "0")))


def send(
    handler: BaseHTTPRequestHandler, status: int, content: bytes, headers: dict[str, str]
) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is part of some tests."""


class Quiet(BaseHTTPRequestHandler):
    """A handler that keeps connections and writes no log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Serve on a free port of loopback; yields the port."""
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def git_http(root: Path, **more: Any) -> Iterator[GitHttp]:
    """A git server with repositories below `root`."""
    git = GitHttp(root, **more)

    class Handler(Quiet):
        def do_GET(self) -> None:
            answer_git(self, git)

        do_POST = do_GET

    with listening(Handler) as git.port:
        yield git

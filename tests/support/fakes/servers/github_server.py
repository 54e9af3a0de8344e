"""A GitHub on loopback: sign-ins, the API, and git, as its documentation describes them.

The site that people see is at `/`, the API below `/api/v3`, as an enterprise has it. What is
pushed lies in real repositories, so a pull request is judged by real branches. What goes wrong is
scripted: `fail` makes the next requests to a path go wrong, `held` is a method and a path that are
answered only after `release`.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.fakes.servers.git_http_server import (
    GitHttp,
    Quiet,
    Seen,
    answer_git,
    listening,
    read_body,
    send,
)

API = "/api/v3"
Json = dict[str, Any]


@dataclass
class Failure:
    path: str
    status: int
    headers: dict[str, str]
    body: bytes
    times: int


@dataclass
class GitHubServer:
    """What the fake knows.

    Args:
        git: the repositories, and whose tokens are good.
        client_id: the one application that it knows.
        grants: the answers to questions about a sign-in; the last one stays.
        readers: people who may read, but not write.
        interval: seconds between two questions about a sign-in.
    """

    git: GitHttp
    client_id: str = "Iv1.anyon"
    grants: list[Json] = field(default_factory=list)
    readers: set[str] = field(default_factory=set)
    interval: int = 0
    pulls: dict[str, list[Json]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    held: tuple[str, str] | None = None
    release: threading.Event = field(default_factory=threading.Event)
    _failures: list[Failure] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.git.url

    @property
    def api(self) -> str:
        return f"{self.url}{API}"

    def fail(
        self, path: str, status: int, message: str = "", *, times: int = 1, **headers: str
    ) -> None:
        """Let the next `times` requests to a path that ends so go wrong."""
        body = json.dumps({"message": message, "documentation_url": "https://docs"}).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self._failures.append(Failure(path, status, names, body, times))

    def garble(self, path: str) -> None:
        """Let the next request to that path be answered with what is not JSON."""
        self._failures.append(Failure(path, 200, {}, b"<html>", 1))

    def asked(self, method: str, path: str) -> list[Seen]:
        """The requests to paths that end so."""
        return [
            seen
            for seen in self.seen
            if seen.method == method and urlsplit(seen.path).path.endswith(path)
        ]

    def pull(self, slug: str, number: int) -> Json:
        return next(pull for pull in self.pulls[slug] if pull["number"] == number)

    def open_pull(self, slug: str, head: str, base: str, title: str = "By hand") -> Json:
        """A pull request that somebody makes on the site."""
        owner = head.partition(":")[0]
        branch = head.partition(":")[2]
        number = len(self.pulls.setdefault(slug, [])) + 1
        made: Json = {
            "number": number,
            "html_url": f"{self.url}/{slug}/pull/{number}",
            "state": "open",
            "title": title,
            "body": None,
            "merged_at": None,
            "merge_commit_sha": "f" * 40,
            "head": {"ref": branch, "label": f"{owner}:{branch}"},
            "base": {"ref": base},
        }
        self.pulls[slug].insert(0, made)
        return made

    def merge(self, slug: str, number: int) -> None:
        self.pull(slug, number).update(
            state="closed", merged_at="2026-01-02T03:04:05Z", merge_commit_sha="a" * 40
        )

    def taken(self, path: str) -> Failure | None:
        """The failure that is scripted for a path, which is then one fewer."""
        for failure in self._failures:
            if path.endswith(failure.path):
                failure.times -= 1
                if failure.times == 0:
                    self._failures.remove(failure)
                return failure
        return None


class _Handler(Quiet):
    server_state: GitHubServer

    def do_GET(self) -> None:
        github, path = self.server_state, urlsplit(self.path).path
        if not path.startswith((API, "/login/")):
            return answer_git(self, github.git)
        body = read_body(self)
        github.seen.append(Seen(self.command, self.path, self.headers.get("Authorization")))
        method, end = github.held or ("", "")
        if self.command == method and path.endswith(end):
            github.release.wait(60)
        failure = github.taken(path)
        if failure is not None:
            return send(self, failure.status, failure.body, failure.headers)
        if path.startswith("/login/"):
            return self._login(path, {k: v[0] for k, v in parse_qs(body.decode()).items()})
        return self._api(path.removeprefix(API), body)

    do_POST = do_GET

    def _send(self, status: int, value: object, **headers: str) -> None:
        content = json.dumps(value).encode()
        send(self, status, content, {"Content-Type": "application/json", **headers})

    def _login(self, path: str, form: dict[str, str]) -> None:
        github = self.server_state
        github.forms.append(form)
        if form.get("client_id") != github.client_id:
            return self._send(404, {"error": "Not Found"})
        if path == "/login/device/code":
            return self._send(
                200,
                {
                    "device_code": "3584d83530557fdd1f46af8289938c8ef79f9dc5",
                    "user_code": "WDJB-MJHT",
                    "verification_uri": f"{github.url}/login/device",
                    "expires_in": 900,
                    "interval": github.interval,
                },
            )
        grant = github.grants[0] if len(github.grants) == 1 else github.grants.pop(0)
        return self._send(200, grant)

    def _api(self, path: str, body: bytes) -> None:
        github = self.server_state
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        person = github.git.tokens.get(token)
        if person is None:
            return self._send(401, {"message": "Bad credentials"})
        if path == "/user":
            return self._send(200, {"login": person, "email": None})
        if path == "/user/emails":
            other = {"email": "other@example.org", "primary": False, "verified": True}
            mine = {"email": f"{person}@example.org", "primary": True, "verified": True}
            return self._send(200, [other, mine])
        found = re.fullmatch(r"/repos/([^/]+/[^/]+)/pulls(?:/(\d+))?", path)
        if found is None or not (github.git.root / f"{found[1]}.git").exists():
            return self._send(404, {"message": "Not Found"})
        if found[2] is not None:
            return self._one(found[1], int(found[2]))
        if self.command == "POST":
            return self._create(found[1], person, json.loads(body))
        asked = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        return self._send(
            200,
            [
                pull
                for pull in github.pulls.get(found[1], [])
                if asked.get("head") in {None, pull["head"]["label"]}
                and asked.get("state", "open") in {"all", pull["state"]}
            ],
        )

    def _one(self, slug: str, number: int) -> None:
        known = [pull for pull in self.server_state.pulls.get(slug, []) if pull["number"] == number]
        if not known:
            return self._send(404, {"message": "Not Found"})
        etag = f'W/"{sha1(json.dumps(known[0]).encode()).hexdigest()}"'
        if self.headers.get("If-None-Match") == etag:
            return send(self, 304, b"", {"ETag": etag})
        return self._send(200, known[0], ETag=etag)

    def _create(self, slug: str, person: str, expected: Json) -> None:
        github = self.server_state
        if person in github.readers:
            return self._send(403, {"message": "Resource not accessible by personal access token"})
        owner, _, branch = expected["head"].partition(":")
        fork = f"{owner}/{slug.partition('/')[2]}"
        base = github.git.refs(slug).get(expected["base"])
        head = github.git.refs(fork).get(branch)
        for name, oid in (("base", base), ("head", head)):
            if oid is None:
                flaw = {"resource": "PullRequest", "field": name, "code": "invalid"}
                return self._send(422, {"message": "Validation Failed", "errors": [flaw]})
        if head == base:
            return self._invalid(f"No commits between {expected['base']} and {branch}")
        for pull in github.pulls.get(slug, []):
            same = (pull["head"]["label"], pull["base"]["ref"]) == (
                expected["head"],
                expected["base"],
            )
            if pull["state"] == "open" and same:
                return self._invalid(f"A pull request already exists for {expected['head']}.")
        made = github.open_pull(slug, expected["head"], expected["base"], expected["title"])
        made["body"] = expected["body"]
        return self._send(201, made)

    def _invalid(self, message: str) -> None:
        flaw = {"resource": "PullRequest", "code": "custom", "message": message}
        self._send(422, {"message": "Validation Failed", "errors": [flaw]})


@contextmanager
def github_server(root: Path, **more: Any) -> Iterator[GitHubServer]:
    """A GitHub whose repositories are below `root`; Ada's token is `ghp_adas_secret_token`."""
    root.mkdir(parents=True, exist_ok=True)
    git = GitHttp(root, tokens={"ghp_adas_secret_token": "ada"})
    github = GitHubServer(git, **more)

    class Handler(_Handler):
        server_state = github

    with listening(Handler) as git.port:
        try:
            yield github
        finally:
            github.release.set()


def publish(repository: Path, github: GitHubServer, slug: str, remote: str = "origin") -> Path:
    """Make `owner/name` on the server with the main branch of a repository, and the remote here."""
    bare = github.git.repository(slug)
    here = ["git", "-C", str(repository)]
    subprocess.run([*here, "push", "-q", str(bare), "main:main"], check=True)
    subprocess.run([*here, "remote", "add", remote, f"{github.url}/{slug}.git"], check=True)
    subprocess.run(
        [*here, "fetch", "-q", str(bare), f"main:refs/remotes/{remote}/main"], check=True
    )
    return bare

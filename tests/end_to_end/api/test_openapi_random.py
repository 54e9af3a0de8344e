"""Requests that nobody has thought of get answers that are described, and never a 5xx."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.generation.hypothesis.builder import (
    HypothesisTestConfig,
    HypothesisTestMode,
    create_test,
)
from schemathesis.schemas import BaseSchema

from anyond.api.chapters import ENDPOINTS
from anyond.http.openapi.document import document
from tests.support.daemon import TIMEOUT_S
from tests.support.hostile.fuzz_target import VARIANT, FuzzTarget, open_fuzz_target

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
OUTSIDE = re.compile(r"/api/auth/github/|/(push|pr|attach)$")
"""Where GitHub has a part, and in these tests nobody is there."""

OPERATIONS = [(e.verb.upper(), e.path) for e in ENDPOINTS if e.path != "/api/events"]


@cache
def described() -> BaseSchema:
    return schemathesis.openapi.from_dict(document())


@pytest.fixture(scope="module")
def fuzz_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FuzzTarget]:
    with open_fuzz_target(tmp_path_factory.mktemp("random") / "daemon") as made:
        yield made


KEYS = {
    "/api/projects": "project",
    "/api/tasks": "task",
    "/api/images/task": "task",
    "/api/task-attempts": "attempt",
    "/api/execution-processes": "process",
    "/api/approvals": "question",
    "/api/tags": "tag",
}
"""What stands behind the ids in paths, by how the paths begin."""


class Tamed:
    """Takes out of requests what would reach beyond the daemon, and puts in what is there."""

    turn = 0

    def __init__(self, fuzz_target: FuzzTarget) -> None:
        self._names = fuzz_target.names
        self._root = fuzz_target.names["root"]
        Tamed.turn += 1

    def case(self, case: Any) -> None:
        for name, value in (case.path_parameters or {}).items():
            case.path_parameters[name] = self._key(case, value)
        if isinstance(case.query, dict):
            case.query = {name: self._parameter(name, value) for name, value in case.query.items()}
        if isinstance(case.body, dict | list):
            case.body = self._inside(case.body, "")

    def _key(self, case: Any, value: Any) -> Any:
        """Mostly the id of something that is there; what others need is not deleted."""
        if Tamed.turn % 4 == 0:
            return value
        sorts = {"/api/tasks": "doomed"} if case.method == "DELETE" else KEYS
        return next((self._names[s] for at, s in sorts.items() if case.path.startswith(at)), value)

    def _parameter(self, name: str, value: Any) -> Any:
        if name in {"path", "ref"}:
            return self._root
        return value if name == "executor" else self._inside(value, name)

    def _inside(self, value: Any, name: str) -> Any:
        """`value` of the field `name`, made harmless."""
        if isinstance(value, dict):
            return {key: self._inside(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._inside(inner, name) for inner in value]
        ids = {"project_id": "project", "task_id": "task", "task_attempt_id": "attempt"}
        fixed = {
            "git_repo_path": f"{self._root}/spare",
            "workspace_dir": f"{self._root}/work",
            "custom_command": "true",
            "base_command_override": VARIANT["base_command_override"],
            "executor": "ACP",
            "sound_enabled": False,
            "push_enabled": False,
            "base_branch": "main",
            **{known: self._names[sort] for known, sort in ids.items()},
        }
        if isinstance(value, str) and name.endswith("_script"):
            return "true"
        if value is None or name not in fixed:
            return value
        return fixed[name]


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_no_request_gets_an_answer_that_is_not_described(
    operation: tuple[str, str], fuzz_target: FuzzTarget
) -> None:
    """The requests are made up here: for Schemathesis' own tests, each worker makes up all of them
    while it collects.
    """

    @settings(
        max_examples=4,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        Tamed(fuzz_target).case(case)
        with requests.Session() as session:
            session.trust_env = False  # a person's proxy knows nothing of this machine's servers
            answer = case.call(base_url=fuzz_target.daemon.url, timeout=TIMEOUT_S, session=session)
        mistakes = CHECKS[1:] if OUTSIDE.search(case.path) and answer.status_code == 503 else CHECKS
        case.validate_response(answer, checks=mistakes)
        asked.append(case)

    asked: list[Any] = []
    method, path = operation
    schema = described()
    how = HypothesisTestConfig(project=schema.config, modes=list(HypothesisTestMode))
    create_test(operation=schema[path][method], test_func=ask, config=how)()
    assert asked

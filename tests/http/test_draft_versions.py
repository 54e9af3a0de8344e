"""A version that no draft can have is refused before anything is looked up."""

from __future__ import annotations

import pytest

from tests.support.http.front_door import Server, envelope


@pytest.mark.parametrize("version", [-1, -(2**63) - 1, -(10**400)])
async def test_a_negative_version_is_the_clients_mistake(server: Server, version: int) -> None:
    attempt = await server.attempt()
    path = f"/api/task-attempts/{attempt}/draft"
    for method, where, body, field in (
        ("PUT", path, {"prompt": "x", "version": version}, "version"),
        ("POST", f"{path}/queue", {"expected_version": version}, "expected_version"),
    ):
        answer = await server.client.request(method, where, json=body)
        assert answer.status_code == 400
        refused = envelope(answer)
        assert refused["error_data"] == {"type": "invalid", "field": field}
        assert refused["message"] == f"{field}: must be a whole number, at least 0"

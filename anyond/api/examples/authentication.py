"""Examples of the chapter Authentication."""

from __future__ import annotations

from anyond.api import authentication
from anyond.api.examples.example import Example, Examples
from anyond.model.http.answers import DeviceFlow

EXAMPLES: Examples = {
    authentication.START_GITHUB_DEVICE_FLOW: Example(
        answer=DeviceFlow(
            user_code="ABCD-1234",
            verification_uri="https://github.com/login/device",
            expires_in=899,
            interval=5,
        )
    ),
    authentication.POLL_DEVICE_FLOW: Example(answer="AUTHORIZATION_PENDING"),
    authentication.CHECK_GITHUB_TOKEN: Example(answer="VALID"),
}

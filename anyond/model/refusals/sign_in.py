"""Ends of a sign-in with GitHub without a token."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from anyond.model.errors import Conflict


class ClientIdMissing(Conflict, type="client_id_missing"):
    """No OAuth app is configured to sign in with."""

    def __init__(self) -> None:
        super().__init__(
            "To sign in with GitHub, start the daemon with ANYON_GITHUB_CLIENT_ID set to the"
            " client id of an OAuth app that has the device flow enabled. Or set github.pat in"
            " the configuration to a personal access token."
        )


class DeviceFlowRefused(Conflict, type="device_flow_refused"):
    """GitHub refuses the sign-in.

    Args:
        error: GitHub's name for the reason; null if it gives none.
    """

    error: str | UnsetType | None

    def __init__(self, sentence: str, error: str | UnsetType | None = UNSET) -> None:
        super().__init__(sentence)
        self.error = error


class NoDeviceFlow(Conflict, type="no_device_flow"):
    """No sign-in has been started."""

    def __init__(self) -> None:
        super().__init__("No sign-in has been started; start one first.")


class ExpiredToken(Conflict, type="expired_token"):
    """The code has expired before it was entered."""

    def __init__(self) -> None:
        super().__init__("The code has expired before it was entered; start again.")


class AccessDenied(Conflict, type="access_denied"):
    """The sign-in was refused at GitHub."""

    def __init__(self) -> None:
        super().__init__("The sign-in was refused at GitHub.")

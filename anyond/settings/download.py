"""A document from an address that a person has named, as a whole and within bounds."""

from __future__ import annotations

import time

from anyond.editing.files import LARGEST
from anyond.model.errors import Unavailable
from anyond.model.refusals.requests import Invalid

SCHEMES = ("https://", "http://")
TIMEOUT_S = 60.0
"""Seconds after which it is given up: without a word, and altogether."""


def is_address(text: str) -> bool:
    """Return whether it is an address, and not the name of a file."""
    return text.lower().startswith(SCHEMES)


def download(url: str) -> bytes:
    """Download the content of an address; blocks on the network, up to twice `TIMEOUT_S`.

    Redirections are followed, but from https only to https. Proxies and certificates are those of
    the environment.

    Raises:
        Invalid: that is no address.
        Unavailable: it cannot be had, or is larger than a file of ours may be.
    """
    import httpx  # slow to load, and hardly ever needed

    ends = time.monotonic() + TIMEOUT_S
    try:
        with (
            httpx.Client(follow_redirects=True, max_redirects=5, timeout=TIMEOUT_S) as client,
            client.stream("GET", url) as answer,
        ):
            schemes = [one.url.scheme for one in (*answer.history, answer)]
            if "https" in schemes and schemes[-1] != "https":
                raise Unavailable(f"{url} leads away from https.")
            if not answer.is_success:
                raise Unavailable(f"{url} answers {answer.status_code} {answer.reason_phrase}.")
            content = bytearray()
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > LARGEST:
                    raise Unavailable(f"{url} is larger than {LARGEST} bytes.")
                if time.monotonic() > ends:
                    raise Unavailable(f"{url} takes longer than {TIMEOUT_S:g} s.")
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
        raise Invalid("FILE", f"is no address: {error}") from error
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise Unavailable(f"{url} cannot be had: {reason}.") from error
    return bytes(content)

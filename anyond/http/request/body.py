"""The limits of bodies, and the ways in which one does not arrive."""

from __future__ import annotations

import re

from anyond.files.images import LARGEST

LARGEST_BODY = 4 * 1024**2
LARGEST_FORM = LARGEST + 64 * 1024
"""The size of a body with a file in it, in bytes: the file, and what is written around it."""

_UPLOAD = re.compile(r"/api/images/(task/[^/]+/)?upload/?$")


class BodyError(Exception):
    """A body that did not arrive; `refusal` has the words."""


class TooLong(BodyError):
    """It is larger than a body may be there."""


class Late(BodyError):
    """It did not arrive in time."""


class ClientLeft(BodyError):
    """Its client has left, so there is nobody to answer."""


def largest(path: str) -> int:
    """Return the size limit of a body there, in bytes."""
    return LARGEST_FORM if _UPLOAD.search(path) else LARGEST_BODY

"""The chapter Preferences: what clients of a person remember for all of them."""

from __future__ import annotations

from anyond.api.declaration.endpoint import BodyCall, Call, Chapter
from anyond.api.declaration.params import Nothing
from anyond.model.http.rules import Preferences

GET_PREFERENCES = Call(
    method="GET",
    path="/api/preferences",
    summary="Get preferences",
    params=Nothing,
    answer=Preferences,
    cached=True,
)
UPDATE_PREFERENCES = BodyCall(
    method="PUT",
    path="/api/preferences",
    summary="Update preferences",
    params=Nothing,
    text="Names that are left out stay; null removes one. Names and values are the clients' own;"
    " together they take 64 KiB at most.",
    body=Preferences,
    answer=Preferences,
)

CHAPTER = Chapter(
    "Preferences",
    "What clients of a person remember for all of them: views, density, keys.",
    (GET_PREFERENCES, UPDATE_PREFERENCES),
)

"""The chapter Tags: texts with a name."""

from __future__ import annotations

from types import NoneType
from typing import Annotated

from msgspec import Meta, Struct, field

from anyond.api.declaration.endpoint import BodyCall, Call, Chapter
from anyond.api.declaration.params import Nothing, TagId
from anyond.model.http.bodies import NewTag, TagPatch
from anyond.model.refusals.requests import NotFound
from anyond.model.refusals.worktrees import NameTaken
from anyond.model.rows import Tag


class TagsNamed(Struct, frozen=True, kw_only=True):
    """Requests for all tags, or those whose name has a part."""

    search: Annotated[str, Meta(description="A part of the name.", examples=["te"])] | None = None


class OfTag(Struct, frozen=True, kw_only=True):
    """Requests for one tag."""

    tag_id: TagId = field(name="id")


LIST_TAGS = Call(
    method="GET",
    path="/api/tags",
    summary="List tags",
    params=TagsNamed,
    answer=list[Tag],
    cached=True,
)
GET_TAG = Call(
    method="GET",
    path="/api/tags/{id}",
    summary="Get tag",
    params=OfTag,
    answer=Tag,
    cached=True,
    refusals=(NotFound,),
)
CREATE_TAG = BodyCall(
    method="POST",
    path="/api/tags",
    summary="Create tag",
    params=Nothing,
    body=NewTag,
    answer=Tag,
    refusals=(NameTaken,),
)
UPDATE_TAG = BodyCall(
    method="PUT",
    path="/api/tags/{id}",
    summary="Update tag",
    params=OfTag,
    body=TagPatch,
    answer=Tag,
    refusals=(NotFound, NameTaken),
)
DELETE_TAG = Call(
    method="DELETE",
    path="/api/tags/{id}",
    summary="Delete tag",
    params=OfTag,
    answer=NoneType,
    refusals=(NotFound,),
)

CHAPTER = Chapter(
    "Tags",
    "Texts with a name: `@name` in a prompt stands for the text.",
    (
        LIST_TAGS,
        GET_TAG,
        CREATE_TAG,
        UPDATE_TAG,
        DELETE_TAG,
    ),
)

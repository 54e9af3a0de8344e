"""The chapter Images: pictures that tasks and messages show to agents."""

from __future__ import annotations

from types import NoneType
from typing import Annotated

from msgspec import Meta, Struct, field

from anyond.api.declaration.endpoint import Call, Chapter, Download, UploadCall
from anyond.api.declaration.params import ImageId, Nothing, OfTask
from anyond.model.refusals.files import ImageInUse, ImageTooLarge, UnsupportedImage
from anyond.model.refusals.requests import NotFound
from anyond.model.rows import Image

_NO_PICTURE = (ImageTooLarge, UnsupportedImage)
_SORTS = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")


class OfImage(Struct, frozen=True, kw_only=True):
    """Requests for one image."""

    image_id: ImageId = field(name="id")


class DeleteImage(OfImage, frozen=True, kw_only=True):
    """Requests for the deletion of an image."""

    force: Annotated[bool, Meta(description="Even if several tasks show it.")] = False


UPLOAD_IMAGE = UploadCall(
    method="POST",
    path="/api/images/upload",
    summary="Upload image",
    params=Nothing,
    text="PNG, JPEG, GIF, WebP or SVG by content, up to 20 MiB. What is known already is"
    " kept once.",
    form_field="image",
    answer=Image,
    refusals=_NO_PICTURE,
)
UPLOAD_TASK_IMAGE = UploadCall(
    method="POST",
    path="/api/images/task/{task_id}/upload",
    summary="Upload task image",
    params=OfTask,
    form_field="image",
    answer=Image,
    refusals=(*_NO_PICTURE, NotFound),
)
GET_TASK_IMAGES = Call(
    method="GET",
    path="/api/images/task/{task_id}",
    summary="Get task images",
    params=OfTask,
    answer=list[Image],
    cached=True,
    refusals=(NotFound,),
)
GET_IMAGE_FILE = Download(
    method="GET",
    path="/api/images/{id}/file",
    summary="Get image file",
    params=OfImage,
    media_types=_SORTS,
    content="The picture; an SVG as an attachment.",
    refusals=(NotFound,),
)
DELETE_IMAGE = Call(
    method="DELETE",
    path="/api/images/{id}",
    summary="Delete image",
    params=DeleteImage,
    answer=NoneType,
    refusals=(NotFound, ImageInUse),
)

CHAPTER = Chapter(
    "Images",
    "Pictures that tasks and messages show to agents.",
    (
        UPLOAD_IMAGE,
        UPLOAD_TASK_IMAGE,
        GET_TASK_IMAGES,
        GET_IMAGE_FILE,
        DELETE_IMAGE,
    ),
)

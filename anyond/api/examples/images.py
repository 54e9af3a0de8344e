"""Examples of the chapter Images."""

from __future__ import annotations

from anyond.api import images
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples

EXAMPLES: Examples = {
    images.UPLOAD_IMAGE: Example(answer=things.IMAGE),
    images.UPLOAD_TASK_IMAGE: Example(answer=things.IMAGE),
    images.GET_TASK_IMAGES: Example(answer=[things.IMAGE]),
}

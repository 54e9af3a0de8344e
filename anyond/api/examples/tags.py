"""Examples of the chapter Tags."""

from __future__ import annotations

from anyond.api import tags
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http.bodies import NewTag, TagPatch

EXAMPLES: Examples = {
    tags.LIST_TAGS: Example(answer=[things.TAG]),
    tags.GET_TAG: Example(answer=things.TAG),
    tags.CREATE_TAG: Example(
        send=NewTag(tag_name="tests", content="Write tests first, and run them."), answer=things.TAG
    ),
    tags.UPDATE_TAG: Example(send=TagPatch(content="Write tests first."), answer=things.TAG),
}

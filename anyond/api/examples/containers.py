"""Examples of the chapter Containers."""

from __future__ import annotations

from anyond.api import containers
from anyond.api.declaration import samples
from anyond.api.examples.example import Example, Examples
from anyond.model.http.answers import ContainerInfo

EXAMPLES: Examples = {
    containers.GET_CONTAINER_INFO: Example(
        answer=ContainerInfo(
            attempt_id=samples.ATTEMPT_ID,
            task_id=samples.TASK_ID,
            project_id=samples.PROJECT_ID,
        )
    ),
}

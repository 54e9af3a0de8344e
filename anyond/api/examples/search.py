"""Examples of the chapter Search."""

from __future__ import annotations

from anyond.api import search
from anyond.api.declaration import samples
from anyond.api.examples import things
from anyond.api.examples.example import Example, Examples
from anyond.model.http.found import FoundKind, SearchHit, SearchPage

EXAMPLES: Examples = {
    search.SEARCH: Example(
        answer=SearchPage(
            hits=[
                SearchHit(
                    kind=FoundKind.MESSAGE,
                    excerpt="The timer is described in README.md.",
                    ranges=[(4, 9)],
                    at=things.MOMENT,
                    project_id=samples.PROJECT_ID,
                    project_name=things.PROJECT.name,
                    task_id=samples.TASK_ID,
                    title=things.PLAIN_TASK.title,
                    task_status=things.PLAIN_TASK.status,
                    task_attempt_id=samples.ATTEMPT_ID,
                    number=7,
                    executor="DEMO",
                    execution_process_id=samples.PROCESS_ID,
                    entry=3,
                )
            ],
            cursor="1041",
        )
    ),
}

"""The chapter Usage: tokens, money and time of agents."""

from __future__ import annotations

import re

from anyond.api import usage as api
from anyond.http.backend import Backend
from anyond.http.dispatch import route
from anyond.model.http.usage import UsageSum
from anyond.model.refusals.requests import Invalid
from anyond.store.runs import usages

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z)?", re.ASCII)


async def get_usage(backend: Backend, params: api.UsageOf) -> list[UsageSum]:
    if params.since is not None and not _MOMENT.fullmatch(params.since):
        raise Invalid("since", "must be a day such as 2025-01-31, or a moment in UTC")
    return await backend.store.read(
        lambda r: usages.fetch_sums(r, params.by, params.since, params.project_id)
    )


ROUTES = (route(api.GET_USAGE, get_usage),)

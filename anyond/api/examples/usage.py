"""Examples of the chapter Usage."""

from __future__ import annotations

from anyond.api import usage
from anyond.api.examples.example import Example, Examples
from anyond.model.http.usage import UsageSum

EXAMPLES: Examples = {
    usage.GET_USAGE: Example(
        answer=[
            UsageSum(
                key="2025-01-08",
                name="2025-01-08",
                runs=3,
                runs_without_tokens=1,
                runs_without_cost=2,
                input_tokens=12_400,
                output_tokens=3_100,
                cache_read_tokens=88_000,
                cache_write_tokens=9_000,
                cost_usd=0.42,
                seconds=312.5,
            )
        ]
    ),
}

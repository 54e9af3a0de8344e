"""Examples of the chapter Preferences."""

from __future__ import annotations

from anyond.api import preferences
from anyond.api.examples.example import Example, Examples
from anyond.model.http.rules import Preferences

_VALUES = Preferences(values={"board.density": "compact"})

EXAMPLES: Examples = {
    preferences.GET_PREFERENCES: Example(answer=_VALUES),
    preferences.UPDATE_PREFERENCES: Example(send=Preferences(values={}), answer=_VALUES),
}

"""Every refusal that Anyon can utter, a class each: its name for programs, fields and sentence.

The first paragraph of a docstring says when it happens, for the readers of the API; what else
they should know comes in the next one.
"""

from __future__ import annotations

from anyond.model.errors import TYPES, AnyondError


def every() -> dict[str, type[AnyondError]]:
    """All refusals that have a type, by their types. Loads all modules of this package."""
    import pkgutil  # not wherever one refusal is raised
    from importlib import import_module

    for found in pkgutil.iter_modules(__path__, f"{__name__}."):
        import_module(found.name)
    return dict(sorted(TYPES.items()))

"""The forms of variants: which options there are, and what agents have said can be chosen."""

from __future__ import annotations

from collections.abc import Sequence

from anyond.agents import roster
from anyond.agents.acp.registry.catalog import CATALOG
from anyond.agents.acp.session.options import AcpOptions
from anyond.agents.common import variant
from anyond.agents.common.form import form
from anyond.model.configuration.settings import Executor, ExecutorProfileId
from anyond.model.http.answers import VariantForm
from anyond.model.http.offers import Choice, Offers
from anyond.settings.profiles import Profiles
from anyond.store.engine.database import Store
from anyond.store.runs import offers


class VariantForms:
    """Makes them whenever they are asked for.

    Args:
        store: has what agents have told.
    """

    def __init__(self, profiles: Profiles, store: Store) -> None:
        self._profiles = profiles
        self._store = store

    async def form(self, profile: ExecutorProfileId, agent: str | None) -> VariantForm:
        """The form of a variant, or of one that is about to be made.

        Args:
            agent: the value of the option `agent` that it is about to have; None if that of the
                stored variant counts.

        Raises:
            Impossible: there is no such agent or variant, or its options are of a wrong type.
        """
        kind = roster.options(profile.executor)
        stored = self._profiles.variant(profile, "variant")
        options = stored if agent is None else {**stored, "agent": agent}
        decoded = variant.decode(options, kind)
        reported: Offers | None = None
        if isinstance(decoded, AcpOptions):
            known_as = decoded.known_as
            reported = await self._store.read(lambda r: offers.get(r, profile.executor, known_as))
        reported = reported or Offers()
        choices = {
            "mode": reported.modes,
            "model": reported.models,
            "agent": _agents(profile.executor),
        }
        return VariantForm(
            executor=profile.executor,
            variant=profile.variant or "DEFAULT",
            form=form(kind, choices),
            modes=reported.modes,
            models=reported.models,
            more=reported.more,
        )


def _agents(executor: Executor) -> Sequence[Choice]:
    if executor is not Executor.ACP:
        return ()
    return [Choice(id=known.id, name=known.name) for known in CATALOG]

"""Everything that the HTTP front can ask, in one place."""

from __future__ import annotations

from collections.abc import Mapping

import trio
from msgspec import Struct

from anyond.model.configuration.settings import Executor
from anyond.model.http.answers import Capability
from anyond.services.attempts import AttemptRequests
from anyond.services.board import BoardRequests
from anyond.services.branches import BranchRequests
from anyond.services.changes import ChangeRequests
from anyond.services.conversations import Conversations
from anyond.services.dev_servers import DevServers
from anyond.services.drafts import DraftRequests
from anyond.services.editors import Editors
from anyond.services.images import ImageRequests
from anyond.services.projects import ProjectRequests
from anyond.services.publishing import Publishing
from anyond.services.reviews import ReviewRequests
from anyond.services.sign_in import GitHubSignIn
from anyond.services.tokens import Tokens
from anyond.settings.config import ConfigFile
from anyond.settings.profiles import Profiles
from anyond.store.engine.database import Store
from anyond.watchers.availability import Agents
from anyond.watchers.diffs import Diffs
from anyond.watchers.logs import Logs
from anyond.watchers.searches import Searches
from anyond.watchers.variant_forms import VariantForms


class Settings(Struct, frozen=True):
    """Services for the settings of a person.

    Args:
        user_id: random, stable, never sent anywhere but to the person's own clients.
    """

    config: ConfigFile
    profiles: Profiles
    user_id: str


class Services(Struct, frozen=True):
    """The services of the routes; `closing` is set when all streams are to end."""

    store: Store
    settings: Settings
    projects: ProjectRequests
    attempts: AttemptRequests
    board: BoardRequests
    branches: BranchRequests
    changes: ChangeRequests
    conversations: Conversations
    reviews: ReviewRequests
    dev_servers: DevServers
    editors: Editors
    publishing: Publishing
    sign_in: GitHubSignIn
    images: ImageRequests
    drafts: DraftRequests
    logs: Logs
    diffs: Diffs
    searches: Searches
    agents: Agents
    forms: VariantForms
    tokens: Tokens
    capabilities: Mapping[Executor, list[Capability]]
    closing: trio.Event

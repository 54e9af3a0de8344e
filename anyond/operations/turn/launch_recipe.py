"""The launch recipe of an execution: its command, its environment, its dialogue."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from anyond.agents.common import recap as agents_recap
from anyond.agents.roster import agent
from anyond.machines.prompt import expand_tags, find_images
from anyond.model.configuration.parental import names_of_repositories
from anyond.model.configuration.settings import ScriptProfile
from anyond.model.launch import Launch, LeftRunning
from anyond.model.rows import (
    CodingAgentFollowUpRequest,
    ExecutionProcess,
    Project,
    ScriptContext,
    ScriptRequest,
)
from anyond.operations.resources import Resources
from anyond.operations.turn import carrying, recap
from anyond.operations.turn.turn_record import TurnRecord
from anyond.procs.launch_spec import final_environment, find_program
from anyond.procs.ports import free_port
from anyond.shim import script_services, script_shell
from anyond.store.board import tags


class Recipe(Struct, frozen=True):
    """A launch, and its turn record, which is None for scripts."""

    launch: Launch
    turn_record: TurnRecord | None


async def write_recipe(
    resources: Resources, process: ExecutionProcess, project: Project, cwd: str, worktree: str
) -> Recipe:
    """Return the recipe to start `process` of an attempt at `project` in the directory `cwd` of a
    worktree.

    The prompt in the row is what the person wrote. What the agent is told is made of it here, and
    written down with the turn: `@tag_name` becomes the content that the tag has now, and links to
    images of the worktree become absolute.

    Raises:
        Impossible: the profile names no variant, or its options make no command.
    """
    request = process.executor_action.typ
    if isinstance(request, ScriptRequest):
        return Recipe(_script(resources, request, project, cwd), None)
    profile = request.executor_profile_id
    resumed = request.session_id if isinstance(request, CodingAgentFollowUpRequest) else None
    prompt = await expand(resources, request.prompt, worktree)
    turn_record = TurnRecord(
        executor=profile.executor,
        prompt=prompt,
        cwd=cwd,
        session_id=resumed,
        options=resources.profiles.variant(profile),
        approval_timeout_s=resources.config.config.approval_timeout_s,
        past=await _past(resources, process, prompt, worktree),
        carried=await resources.store.read(lambda r: carrying.before(r, process, resumed)),
    )
    launch = agent(profile.executor).launch(turn_record.turn())
    await turn_record.load()
    return Recipe(replace(launch, env={**project.environment, **launch.env}), turn_record)


async def _past(resources: Resources, process: ExecutionProcess, prompt: str, worktree: str) -> str:
    unasked = await resources.store.read(lambda r: recap.unasked(r, process))
    task = None if unasked is None else await expand(resources, unasked, worktree)
    past = await resources.store.read(lambda r: recap.past(r, process, prompt, task))
    return past if past or task is None else agents_recap.unasked(task)


async def expand(resources: Resources, prompt: str, worktree: str) -> str:
    """Return the prompt for an agent that works in `worktree` if a person wrote `prompt`."""
    if "@" in prompt:
        contents = await resources.store.read(tags.contents)
        prompt = expand_tags(prompt, lambda name: contents.get(tags.fold(name)))
    return find_images(prompt, worktree)


def _left_running(request: ScriptRequest, project: Project) -> LeftRunning:
    if request.context is ScriptContext.DEV_SERVER:
        return LeftRunning.END
    lives_on = request.context is ScriptContext.SETUP and project.keep_services
    return LeftRunning.KEEP if lives_on else LeftRunning.REPORT


def _script(resources: Resources, request: ScriptRequest, project: Project, cwd: str) -> Launch:
    if request.services_of is not None:
        spool = str(resources.launcher.spool(request.services_of).path.absolute())
        return Launch(argv=script_services.command_line(spool), cwd=cwd, stdin=False)
    port = {"PORT": str(free_port())} if request.context is ScriptContext.DEV_SERVER else {}
    # A script that was written on Windows; bash takes a carriage return for a part of a word.
    script = request.script.replace("\r\n", "\n").removesuffix("\r")
    launch = Launch(
        argv=("bash", "-c", script),
        cwd=cwd,
        env={**port, **project.environment},
        stdin=False,
        left_running=_left_running(request, project),
        install="Scripts are run with bash; install it.",
    )
    profile = resources.config.config.script_profile
    if profile is ScriptProfile.NONE:
        return launch
    find_program(launch, final_environment(launch))
    # A profile that has git look after the files of a home (GIT_DIR) means that terminal, and not
    # the worktree.
    fixed = (*launch.env, *names_of_repositories())
    return replace(launch, argv=script_shell.command_line(profile.value, fixed, script))

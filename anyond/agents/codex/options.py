"""The options of a variant of Codex, and their form in its protocol."""

from __future__ import annotations

from typing import Any, Literal

from anyond.agents.common import variant

Sandbox = Literal["auto", "read-only", "workspace-write", "danger-full-access"]
Approval = Literal["unless-trusted", "on-failure", "on-request", "never"]
Summary = Literal["auto", "concise", "detailed", "none"]

_FREE = "danger-full-access"
# "on-failure" is gone from the program; asking when the model wants to is the nearest to it.
_POLICIES = {"unless-trusted": "untrusted", "on-failure": "on-request"}
_LOCAL_PROVIDER = "ollama"
_LOCAL_MODEL = "gpt-oss:20b"


class Options(variant.Common, frozen=True, kw_only=True):
    """The options of a variant, besides those that all have.

    Args:
        sandbox: what commands may do without asking; `auto` is `workspace-write`.
        ask_for_approval: when a person is asked. Not said, it is `on-request` in the automatic
            sandbox and `never` without a sandbox; else what the person's own configuration says.
        oss: use a model on this machine, by Ollama. (For another server, leave this out and name
            it: `additional_params: ["-c", "model_provider=lmstudio"]`.)
        model_reasoning_effort: `low`, `medium`, `high` or what else the model knows.
        profile: a profile in the person's configuration, for versions that have them there.
        base_instructions: instead of the program's own instructions to the model.
        include_plan_tool: whether the model has a to-do list.
        include_apply_patch_tool: whether the model has a tool of its own for edits, for versions
            that leave the choice.
        plan: begin with a plan; once it is approved, it is carried out.
    """

    sandbox: Sandbox = "auto"
    ask_for_approval: Approval | None = None
    oss: bool = False
    model: str | None = None
    model_reasoning_effort: str | None = None
    model_reasoning_summary: Summary | None = None
    model_reasoning_summary_format: Literal["none", "experimental"] | None = None
    profile: str | None = None
    base_instructions: str | None = None
    include_plan_tool: bool | None = None
    include_apply_patch_tool: bool | None = None
    plan: bool = False

    @property
    def asks(self) -> bool:
        """True if a person decides about tools; else whatever is asked is allowed."""
        return self.ask_for_approval is not None or self.sandbox != _FREE

    def thread(self, cwd: str) -> dict[str, Any]:
        """The settings of a conversation in the directory `cwd`."""
        given: dict[str, Any] = {
            "cwd": cwd,
            "sandbox": "workspace-write" if self.sandbox == "auto" else self.sandbox,
            "approvalPolicy": self._policy,
            "model": self.model or (_LOCAL_MODEL if self.oss else None),
            "modelProvider": _LOCAL_PROVIDER if self.oss else None,
            "baseInstructions": self.base_instructions,
            "config": self._config or None,
        }
        return {name: value for name, value in given.items() if value is not None}

    @property
    def _policy(self) -> str | None:
        if self.ask_for_approval is not None:
            return _POLICIES.get(self.ask_for_approval, self.ask_for_approval)
        # A question that is answered with yes anyway would only stop an agent that works on
        # while the daemon is down.
        return {"auto": "on-request", _FREE: "never"}.get(self.sandbox)

    @property
    def _config(self) -> dict[str, Any]:
        format = self.model_reasoning_summary_format
        given = {
            "model_reasoning_effort": self.model_reasoning_effort,
            "model_reasoning_summary": self.model_reasoning_summary,
            "model_reasoning_summary_format": None if format == "none" else format,
            "profile": self.profile,
            "tools.update_plan.enabled": self.include_plan_tool,
            "include_apply_patch_tool": self.include_apply_patch_tool,
        }
        return {name: value for name, value in given.items() if value is not None}

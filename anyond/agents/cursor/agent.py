"""The Cursor agent: start, installation, login, and the options of a variant."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from anyond.agents.common import variant
from anyond.agents.common.core import Dialogue, Turn
from anyond.agents.common.recap import recap
from anyond.model.launch import Launch

CURSOR = ("cursor-agent",)
INSTALL = "Install it with `curl https://cursor.com/install -fsS | bash`."
PROTOCOL = ("-p", "--output-format", "stream-json", "--stream-partial-output", "--approve-mcps")

# Its installer puts it where not everybody's PATH leads.
_PLACE = 'export PATH="$HOME/.local/bin:$PATH"'
_INSTALL_SCRIPT = f"""\
set -eo pipefail
{_PLACE}
if command -v cursor-agent >/dev/null; then
  echo "The Cursor agent is installed already."
else
  curl https://cursor.com/install -fsS | bash
fi
for file in "$HOME/.zshrc" "$HOME/.bashrc"; do
  if [ -f "$file" ] && ! grep -qF '.local/bin' "$file"; then
    printf '%s\\n' '{_PLACE}' >> "$file"
  fi
done
"""


class CursorOptions(variant.Common, frozen=True, kw_only=True):
    """The options of a variant; None is "not said".

    Args:
        force: allow every tool. Without it Cursor refuses commands; it asks nobody.
        model: which model it works with.
        plan: make a plan and change nothing.
    """

    force: bool | None = None
    model: str | None = None
    plan: bool | None = None


class Cursor:
    """The Cursor agent, which prints its work as stream-json and is told everything at once."""

    def launch(self, turn: Turn) -> Launch:
        """Return the launch of the program for this turn.

        Raises:
            Impossible: the options cannot be made into a command.
        """
        options = variant.decode(turn.options, CursorOptions)
        before = list(PROTOCOL)
        # The worktree is Anyon's own, made of the person's repository: to ask whether it is to be
        # trusted would ask nobody. `--force` says so by itself.
        before.append("--force" if options.force else "--trust")
        if options.plan:
            before += ["--mode", "plan"]
        if options.model:
            before += ["--model", options.model]
        after = []
        if turn.session_id is not None:
            after += ["--resume", variant.resumed(turn.session_id)]
        return variant.launch(
            options, turn.cwd, CURSOR, before=before, after=after, install=INSTALL
        )

    def dialogue(self, turn: Turn) -> Dialogue:
        """A fresh dialogue; the prompt is already queued.

        Raises:
            Impossible: as for `launch`.
        """
        # Loaded with the first dialogue, as no start of the daemon needs to wait for it.
        from anyond.agents.cursor.dialogue import CursorDialogue

        options = variant.decode(turn.options, CursorOptions)
        return CursorDialogue(
            prompt=variant.full_prompt(turn.prompt, options),
            cwd=turn.cwd,
            session_id=turn.session_id,
            recap=recap(turn) if turn.past and turn.session_id is None else "",
        )

    def setup(self, options: Mapping[str, Any]) -> Sequence[str]:
        """Install it if it is missing; then log in.

        Raises:
            Impossible: an option is of the wrong type, or there is no command line.
        """
        chosen = variant.decode(options, CursorOptions)
        bare = replace(chosen, additional_params=[])
        named = variant.launch(bare, "/", CURSOR, before=(), install=INSTALL).argv
        login = f"{_PLACE}\n{shlex.join([*named, 'login'])}\n"
        return [login] if named != CURSOR else [_INSTALL_SCRIPT, login]

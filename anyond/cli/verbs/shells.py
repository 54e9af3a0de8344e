"""The verb `completion`: what a shell needs to complete the words of `anyon`."""

from __future__ import annotations

import click

from anyond.cli.frame.commands import Verb
from anyond.cli.frame.session import print_line

_VARIABLE = "_ANYON_COMPLETE"


@click.command(
    cls=Verb,
    short_help="Print the completion for a shell.",
    examples=[
        ('eval "$(anyon completion bash)"', "in ~/.bashrc"),
        ('eval "$(anyon completion zsh)"', "in ~/.zshrc"),
        ("anyon completion fish | source", "in ~/.config/fish/config.fish"),
    ],
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(*, shell: str) -> None:
    """Print a script that completes commands, options, attempts, agents and projects."""
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    kinds = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    root = click.get_current_context().find_root().command
    made = kinds[shell](root, {}, "anyon", _VARIABLE)
    # Without a look at which bash this is: the script is for the one that reads it.
    print_line(made.source_template % made.source_vars())

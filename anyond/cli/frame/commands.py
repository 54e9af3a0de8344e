"""Commands that are loaded when they are called, with examples, suggestions and common options."""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import click

from anyond.cli.frame.exit_codes import ExitCode, in_one_line
from anyond.cli.frame.failures import failure_of
from anyond.cli.frame.session import common_options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Verb(click.Command):
    """A command that has the common options.

    Args:
        examples: command lines, each with what it does; they come first in its help.
    """

    def __init__(self, *args: Any, examples: Sequence[tuple[str, str]] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.examples = examples
        self.params.extend(common_options())

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples before the text."""
        write_examples(self.examples, formatter)
        super().format_help_text(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, and then name the common ones."""
        super().format_options(ctx, formatter)
        write_common(formatter)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called.

    Args:
        modules: for each command `module:attribute`.
    """

    def __init__(
        self,
        *args: Any,
        modules: Mapping[str, str] | None = None,
        examples: Sequence[tuple[str, str]] = (),
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.examples = examples
        self._modules = dict(modules or {})
        self.params.extend(common_options())

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted({*self._modules, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name in self._modules and cmd_name not in self.commands:
            module, _, attribute = self._modules[cmd_name].partition(":")
            self.add_command(getattr(import_module(module), attribute), cmd_name)
        return super().get_command(ctx, cmd_name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete names without importing all commands; options as click does."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        if incomplete.startswith("-") or not self._modules:
            return super().shell_complete(ctx, incomplete)
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in names]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; of a word that there is not, say which it may have been."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from difflib import get_close_matches

            close = get_close_matches(args[0], self.list_commands(ctx), 2, 0.6)
            hint = f" Did you mean {' or '.join(f'`{name}`' for name in close)}?" if close else ""
            raise click.UsageError(f"There is no command `{args[0]}`.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples before the text."""
        write_examples(self.examples, formatter)
        super().format_help_text(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, the options, and the common ones."""
        super().format_options(ctx, formatter)
        write_common(formatter)


class Program(LazyGroup):
    """The whole command: what is raised in it becomes a sentence, or JSON, and an exit code."""

    def main(self, *args: Any, standalone_mode: bool = True, **more: Any) -> Any:
        """Run it and exit, unless `standalone_mode` is False."""
        more.setdefault("prog_name", "anyon")  # however it was started
        run = partial(super().main, *args, standalone_mode=False, **more)
        if not standalone_mode:
            return run()
        # Nothing of what is imported is garbage; to look for it takes a tenth of a short command.
        gc.set_threshold(50_000)
        given = next((one for one in (*args, more.get("args")) if one is not None), sys.argv[1:])
        try:
            code: object = run()
            sys.stdout.flush()
        except BrokenPipeError:
            _end_quietly()
        except (Exception, KeyboardInterrupt) as error:  # each is reported, or raised again
            failure = failure_of(error)
            if failure is None:
                raise
            sys.exit(failure.report(_is_json(given)))
        sys.exit(code if isinstance(code, int) else ExitCode.DONE.value)


def write_examples(examples: Sequence[tuple[str, str]], formatter: click.HelpFormatter) -> None:
    """Write command lines with what they do."""
    if examples:
        with formatter.section("Examples"):
            formatter.write_dl(list(examples), col_max=48)


def write_common(formatter: click.HelpFormatter) -> None:
    """Name the common options."""
    with formatter.section("Common options"):
        formatter.write_dl(common_records())
    formatter.write_paragraph()
    formatter.write_text(f"Exit codes: {in_one_line()}.")


def common_records() -> list[tuple[str, str]]:
    """The common options with their meanings."""
    return [_record(option) for option in common_options()]


def _record(option: click.Option) -> tuple[str, str]:
    names = ", ".join(option.opts)
    if isinstance(option.type, click.Choice):
        names += f" [{'|'.join(option.type.choices)}]"
    elif not option.is_flag:
        names += f" {option.metavar}"
    return names, option.help or ""


def _is_json(args: Sequence[str]) -> bool:
    own = args[: args.index("--")] if "--" in args else args
    return "--json" in own


def _end_quietly() -> NoReturn:
    """End without a word: whoever read the output has had enough of it."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(ExitCode.FAILED.value)

"""``checker``: the group of commands. Each is loaded when it is called, so that ``check`` starts fast.

Exit status: 0 done, 1 something judged or found wrong, 2 usage or configuration error.
"""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from checker import __version__
from checker.settings import SettingsError

# Name to module, and its line in the help: asking for help loads nothing.
_COMMANDS: Final = {
    "run": ("checker.cli.run", "Poll the mailboxes, check the mail, answer, remind, write the digest."),
    "check": ("checker.cli.check", "Judge mails offline; nothing is stored, sent or changed."),
    "digest": ("checker.cli.digest", "What the staff have to do, now."),
    "tickets": ("checker.cli.tickets", "List, close and reopen tickets; see what is in quarantine."),
    "show": ("checker.cli.show", "One ticket with its evidence."),
    "override": ("checker.cli.override", "Set what a ticket says, by name and with a reason; or undo it."),
    "evidence": ("checker.cli.evidence", "Write or verify a ticket's record of consent."),
    "replay": ("checker.cli.replay", "Judge stored tickets again by the present rules; show what differs."),
    "stats": ("checker.cli.stats", "What is forgotten most, and how long it takes."),
    "export": ("checker.cli.export", "The staff's corrections as samples for the rules."),
    "rules": ("checker.cli.rules", "Check the rule files, and measure what they understand."),
    "replies": ("checker.cli.replies", "Render a reply without sending it."),
    "doctor": ("checker.cli.doctor", "Try everything that the service needs."),
}


class _Lazy(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, in the order of the contract."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command, or ``None`` for an unknown name."""
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{cmd_name} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """The list in the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="checker")
def cli() -> None:
    """Read a hoster's support mail and check it against the intervention procedure.

    Completion of commands and options with the Tab key, for bash (zsh and fish likewise):

    \b
      eval "$(_CHECKER_COMPLETE=bash_source checker)"
    """


def main() -> None:
    """The entry point: errors that the operator can mend are a sentence, and exit status 2."""
    try:
        status = cli.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except ValueError as error:
        # The builders' errors: each is a sentence that names file, key and what to do. A SettingsError is one of them.
        if not isinstance(error, SettingsError) and not _says_what_to_do(error):
            raise
        click.echo(f"checker: {error}", err=True)
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)


def _says_what_to_do(error: ValueError) -> bool:
    """Whether it is an error of ours rather than of the language: those are defined in this package."""
    return type(error).__module__.startswith("checker.")


if __name__ == "__main__":
    main()

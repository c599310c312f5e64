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

_COMMANDS: Final = {
    "run": ("checker.cli.run", "run"),
    "check": ("checker.cli.check", "check"),
    "digest": ("checker.cli.digest", "digest"),
    "tickets": ("checker.cli.tickets", "tickets"),
    "show": ("checker.cli.show", "show"),
    "rules": ("checker.cli.rules", "rules"),
    "replies": ("checker.cli.replies", "replies"),
    "doctor": ("checker.cli.doctor", "doctor"),
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
        module, name = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{name} is no command")
        return command


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="checker")
def cli() -> None:
    """Read a hoster's support mail and check it against the intervention procedure."""


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

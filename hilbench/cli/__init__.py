"""The command line. Sub-commands are imported when they are called, so that ``hilbench --help`` answers at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from hilbench import __version__
from hilbench.errors import HilbenchError, InputError

COMMANDS = {
    "run": "Run the acceptance procedures on a rig and judge them.",
    "selftest": "Show that the bench catches broken controllers.",
    "search": "Look for the worst case among random scenarios with faults.",
    "procedures": "List the acceptance procedures.",
    "requirements": "List, show and check the profiles that limits come from.",
    "rig": "Check, list and show rig files.",
    "site": "Calculate the loads of a site, clause by clause.",
    "controller": "Run the reference controller as a process of its own.",
    "why": "Ask a running reference controller why a station has its limit.",
    "pilot": "Measure, watch and render the control pilot; what a duty cycle means.",
    "profiles": "Explain charging profiles: what limit holds when, and why.",
    "ccs": "Read captures of CCS charging sessions.",
    "station": "Connect emulated stations to any CSMS, live.",
    "instruments": "List and check oscilloscopes and signal generators.",
    "compare": "Say whether two runs agree.",
    "board": "Ask and command pilot boards by hand.",
    "quirks": "List, show and prove misbehaviours that people have reported.",
    "dc": "Show DC cars, misbehaviours and signs; reckon a DC charge.",
    "can": "Tell the CHAdeMO sessions in CAN logs.",
    "report": "Render the report of a finished run again.",
}
"""Each command and its line in ``--help``; ``NAME`` is the object of that name in ``hilbench.cli.NAME``."""

PASSED, FAILED, USAGE, INCONCLUSIVE, ERROR, NOTHING_RUN, BUG = 0, 1, 2, 3, 4, 5, 70
SIGNALLED = 128

EPILOG = """\b
Exit codes
  0    every verdict is PASS
  1    at least one FAIL
  2    the command line, a rig or another input file is wrong
  3    at least one INCONCLUSIVE, no FAIL
  4    a device or the bench failed: ERROR
  5    something was not run, and the rest passed
  70   a defect of hilbench itself
  129  130  143   ended by SIGHUP, Ctrl-C or SIGTERM: site made safe, evidence kept

\b
Completion of commands and options in your shell
  bash   eval "$(_HILBENCH_COMPLETE=bash_source hilbench)"   in ~/.bashrc
  zsh    eval "$(_HILBENCH_COMPLETE=zsh_source hilbench)"    in ~/.zshrc
  fish   _HILBENCH_COMPLETE=fish_source hilbench | source    in ~/.config/fish/config.fish
"""


class LazyGroup(click.Group):
    """A group that knows names and help lines of its commands, and imports a command only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names in the order of the work, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command; None when there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(import_module(f"hilbench.cli.{cmd_name}"), cmd_name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The commands' help lines, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hilbench")
@click.option("--debug", is_flag=True, help="Show the traceback of an error (also: HILBENCH_DEBUG=1).")
def cli(debug: bool) -> None:
    """Prove that an EV load-management system keeps the breaker closed, reacts in time, and fails safe."""
    if debug:
        os.environ["HILBENCH_DEBUG"] = "1"  # worker processes inherit it


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; prints what went wrong, never a traceback unless asked for."""
    try:
        result = cli.main(args=None if argv is None else list(argv), prog_name="hilbench", standalone_mode=False)
    except BaseException as error:
        if debugging() and not isinstance(error, SystemExit | click.ClickException):
            raise
        return _explain(error)
    return result if isinstance(result, int) else PASSED


def debugging() -> bool:
    """True when tracebacks are wanted."""
    return os.environ.get("HILBENCH_DEBUG", "") not in ("", "0")


def _explain(error: BaseException) -> int:
    """Say on stderr what happened, and return the exit code for it."""
    code, message = _code_and_message(error)
    if message:
        click.echo(message, err=True)
    return code


def _code_and_message(error: BaseException) -> tuple[int, str]:
    match error:
        case SystemExit():
            return error.code if isinstance(error.code, int) else USAGE, ""
        case click.ClickException():
            error.show()
            return USAGE, ""
        case click.Abort() | KeyboardInterrupt():
            return SIGNALLED + 2, "interrupted"
        case InputError():
            return USAGE, str(error)
        case HilbenchError():
            return ERROR, str(error)
        case BrokenPipeError():
            _silence_stdout()
            return SIGNALLED + 13, ""
        case _:
            return BUG, _apology(error)


def _silence_stdout() -> None:
    """The reader of our output is gone; without this, the interpreter complains once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _apology(error: BaseException) -> str:
    place: Any = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" in {place.tb_frame.f_code.co_qualname}, line {place.tb_lineno}" if place is not None else ""
    return (
        f"hilbench {__version__} met a defect of its own: {type(error).__name__}: {error}{where}.\n"
        "Please report it with the command, the rig file and the output of `hilbench --debug COMMAND`, which shows "
        "the traceback. Data that was recorded is kept."
    )

"""Run a command that does not outlive the process that started it: ``python -m hilbench.leash PARENT COMMAND ...``.

A bench that is killed cannot end its controller any more, and a suspended controller could not even notice. On Linux
the kernel does it: SIGKILL when the parent dies (prctl(2), PR_SET_PDEATHSIG), which the command keeps over execve(2).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def leashed(command: list[str]) -> list[str]:
    """``command`` so that it ends with this process."""
    # -P: a file of the user's that is called like a module must not come before the module
    return [sys.executable, "-P", "-m", "hilbench.leash", str(os.getpid()), *command]


def main(parent: int, command: list[str]) -> None:
    """Tie this process to ``parent`` and become ``command``; says on stderr why that is not possible."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the bench ended before its controller could start")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"cannot start {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])

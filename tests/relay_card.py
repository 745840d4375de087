"""A relay card in a process of its own, over TCP or a pseudo-terminal, with its own memory of what it was told.

``python relay_card.py MEMORY tcp|serial [HABIT ...]`` prints its address and then serves until it is ended. It takes
``ON``, ``OFF`` and ``STATE?``; every line that it is told is appended to the file MEMORY. Habits: ``stuck`` (takes OFF
and stays on), ``silent`` (never answers), ``echo`` (repeats each line first), ``chatty`` (reports without being asked),
``deaf`` (the first OFF that it is told gets lost), ``garbage`` (answers with bytes that are no text).
"""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Card:
    """The state of the relay, and what it answers."""

    def __init__(self, memory: Path, habits: tuple[str, ...]) -> None:
        self._memory, self._habits = memory, habits
        self._state = "OFF"
        self._deaf = "deaf" in habits

    def hear(self, line: str) -> str:
        """Take a line, remember it, and answer."""
        with self._memory.open("a") as file:
            file.write(f"{line}\n")
        if self._deaf and line == "OFF":
            self._deaf = False
            return ""
        if line in ("ON", "OFF") and not (line == "OFF" and "stuck" in self._habits):
            self._state = line
        if "silent" in self._habits:
            return ""
        return self._spoken(line, self._state if line == "STATE?" else "OK")

    def _spoken(self, line: str, answer: str) -> str:
        words = [line] if "echo" in self._habits else []
        words += ["!TEMP 25"] if "chatty" in self._habits else []
        return "".join(f"{word}\n" for word in [*words, "\udcff\udcfe" if "garbage" in self._habits else answer])


def _serve(card: Card, listener: socket.socket | None, terminal: int) -> None:
    poll, rest = selectors.DefaultSelector(), dict[int, bytes]()
    poll.register(terminal if listener is None else listener, selectors.EVENT_READ)
    connections: dict[int, socket.socket] = {}
    while True:
        for key, _events in poll.select():
            if listener is not None and key.fileobj is listener:
                connection, _peer = listener.accept()
                connections[connection.fileno()] = connection
                poll.register(connection, selectors.EVENT_READ)
            elif not _take(card, key.fd, rest):
                poll.unregister(key.fileobj)
                connections.pop(key.fd).close()


def _take(card: Card, fd: int, rest: dict[int, bytes]) -> bool:
    try:
        data = os.read(fd, 4096)
    except OSError:
        data = b""
    *lines, rest[fd] = (rest.get(fd, b"") + data).split(b"\n")
    for line in lines:
        os.write(fd, card.hear(line.decode(errors="replace").strip()).encode(errors="surrogateescape"))
    return bool(data)


def main() -> None:
    """Say where it is and serve."""
    memory, form, *habits = sys.argv[1:]
    card = Card(Path(memory), tuple(habits))
    if form == "tcp":
        listener = socket.create_server(("127.0.0.1", 0))
        print(f"tcp://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        _serve(card, listener, -1)
    board, host = os.openpty()
    tty.setraw(host)
    print(f"serial://{os.ttyname(host)}", flush=True)
    _serve(card, None, board)


class Told:
    """A running card, seen from the test: where it is, and what it knows."""

    def __init__(self, address: str, memory: Path) -> None:
        self.address = address
        self._memory = memory

    @property
    def told(self) -> list[str]:
        """Every line that it was told, first to last."""
        return self._memory.read_text().split("\n")[:-1] if self._memory.exists() else []

    def tell(self, line: str) -> None:
        """Say ``line`` to it over a connection of TCP of the test's own, and wait until it has heard."""
        with self._connection() as connection:
            connection.sendall(f"{line}\n".encode())
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass

    @property
    def state(self) -> str:
        """What it answers when the test asks it."""
        with self._connection() as connection:
            connection.sendall(b"STATE?\n")
            return connection.recv(4096).decode().strip()

    def _connection(self) -> socket.socket:
        host, _, port = self.address.removeprefix("tcp://").partition(":")
        return socket.create_connection((host, int(port)), timeout=10)

    @property
    def is_on(self) -> bool:
        """Whether it is energised by what it was told last."""
        orders = [line for line in self.told if line in ("ON", "OFF")]
        return orders[-1:] == ["ON"]


@contextmanager
def relay_card(folder: Path, *habits: str, form: str = "tcp", name: str = "card") -> Iterator[Told]:
    """A running card whose memory is in ``folder``."""
    memory = folder / f"{name}.told"
    command = [sys.executable, __file__, str(memory), form, *habits]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Told(process.stdout.readline().strip(), memory)
        finally:
            process.kill()


if __name__ == "__main__":
    main()

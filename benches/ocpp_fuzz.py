"""Hostile frames to servers of all three versions: each is answered, refused, or ignored where the protocol says so.

Behind every frame goes a Heartbeat, so what comes back in between belongs to the frame. Wrong is: no answer to what
must have one, more than one, another message id, a code that the version does not have, an answer of more than 4 kB,
a closed connection, 30 s of silence, a server that ended, or one whose memory grows by more than 32 MB. Frames that
break WebSocket itself must close their connection and no other. The same seed sends the same frames.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from benches.ocpp_servers import Served
from hilbench.ocppj import VERSIONS, ChargePoint16, ChargePoint21, ChargePoint201, listen, messages, on
from tests.ocpp_samples import sample, schemas

CLASSES = {"1.6": ChargePoint16, "2.0.1": ChargePoint201, "2.1": ChargePoint21}
HANDLED = ("BootNotification", "StatusNotification", "MeterValues", "DataTransfer", "Heartbeat")
BATCH = 50
PATIENCE_S = 30
ANSWER_LENGTH = 4096
PARSER_DEPTH = 800
"""Above it, how deep is too deep for JSON depends on the depth of the caller's stack: refused unread is right too."""
GROWTH_KB = 32_768
_COMMON = "NotImplemented NotSupported InternalError ProtocolError SecurityError PropertyConstraintViolation"
CODES = {*_COMMON.split(), "TypeConstraintViolation", "GenericError"}
CODES_16 = CODES | {"FormationViolation", "OccurenceConstraintViolation"}
CODES_2 = CODES | {"FormatViolation", "OccurrenceConstraintViolation", "RpcFrameworkError", "MessageTypeNotSupported"}

Rng = random.Random


def server_class(name: str) -> Any:
    """A server of a version that answers a few actions with their full samples."""
    handlers = {f"on_{action}": on(action)(_handler(name, action)) for action in HANDLED}
    if name == "2.1":
        handlers["on_stream"] = on("NotifyPeriodicEventStream")(on_stream)
    return type("Server", (CLASSES[name],), handlers)


def on_stream(_self: Any, **_: Any) -> None:
    """Take note."""


def payload(name: str, action: str, kind: str = "call") -> Any:
    """A full payload of a message."""
    return sample(next(one for what, how, one in schemas(name) if (what, how) == (action, kind)))


def _handler(name: str, action: str) -> Callable[..., Any]:
    answer = payload(name, action, "call_result")

    def handle(_self: Any, **_: Any) -> Any:
        return answer

    handle.__name__ = f"on_{action}"
    return handle


async def serve_all() -> None:
    """Serve the three versions until the parent goes."""
    servers = {messages(name).subprotocol: server_class(name) for name in VERSIONS}

    async def handler(connection: Any, identity: str) -> None:
        await servers[connection.subprotocol](identity, connection).start()

    async with listen("127.0.0.1", 0, handler, versions=VERSIONS) as port:
        print(port, flush=True)
        await asyncio.to_thread(sys.stdin.readline)


JUNK: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2,
    3.0,
    1e308,
    10**30,
    "",
    "x",
    "\ud800",
    "\0",
    "é" * 40,
    "v" * 3000,
    [],
    {},
]
JUNK += [[[]], {"": ""}, {"a": {"a": {"a": []}}}, "2024-06-04T16:00:00Z", "NaN", float("nan"), float("inf")]
TEXTS = ["", " ", "{", "[]", "[[", "null", "5", '"', "[2", "\ufeff[2]", "9" * 5000]
TEXTS += [
    "[" * 5000,
    "[2," * 300,
    '{"a":' * 900,
    "9" * 5000,
]
TEXTS += ['[2,"x","Heartbeat",{}', '[2,"x","Heartbeat",{"a":1,"a":2}]', "[NaN]", "[Infinity,1]", "[1e400]", "[true]"]
PIECES = ['"', "[", "]", "{", "}", ",", ":", "-", "9", "null", "1e9", "\\u0000", "\\ud800", "\x07", "é", "😀"]


def _nodes(data: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in pairs:
        found.append((data, key))
        if isinstance(value, dict | list):
            found += _nodes(value)
    return found


def replaced(rng: Rng, text: str) -> str:
    """A part of the frame is something else, or gone, or there under a wrong name too."""
    data = json.loads(text)
    owner, key = rng.choice(_nodes(data))
    if rng.random() < 0.2:
        del owner[key]
    elif rng.random() < 0.2 and isinstance(owner, dict):
        owner[str(key) + rng.choice(["", "_", "X"])] = rng.choice(JUNK)
    else:
        owner[key] = rng.choice(JUNK)
    return json.dumps(data)


def edited(rng: Rng, text: str) -> str:
    """A few characters are others."""
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(text) + 1)
        text = text[:start] + rng.choice(PIECES) + text[start + rng.randrange(6) :]
    return text


def framed(rng: Rng, text: str) -> str:
    """Another type, id, action or number of parts around the payload."""
    parts: list[Any] = json.loads(text)
    parts[0] = rng.choice([2, 2, 3, 4, 5, 6, 7, 0, -2, 2.0, 10**20, "2", None, [], {}])
    if rng.random() < 0.5:
        parts[1] = rng.choice(["x", "", "i" * 36, "i" * 37, 5, None, ["x"]])
    if rng.random() < 0.5:
        parts[2] = rng.choice(["Nonsense", "../Heartbeat", "__class__", "", "Authorize", "a" * 5000, 7, None])
    return json.dumps(parts[: rng.choice([1, 2, 3, 4, 4, 4])] + [{}] * rng.choice([0, 0, 0, 1]))


def deep(rng: Rng, text: str) -> str:
    """Nested up to where parsers and validators give up."""
    depth = rng.randint(1, 1200)
    inner = "[" * depth + "]" * depth if rng.random() < 0.5 else '{"a":' * depth + "1" + "}" * depth
    return text.replace("{", '{"customData":' + inner + ",", 1)


def hostile(seed: int, name: str) -> Iterator[str]:
    """Frames without end for a version."""
    rng = random.Random(f"{seed} {name}")
    good = [json.dumps([2, "x", action, payload(name, action)]) for action in HANDLED]
    sends = ["NotifyPeriodicEventStream"] if name == "2.1" else []
    good += [json.dumps([6, "x", action, payload(name, action)]) for action in sends]
    ways: list[Callable[[Rng, str], str]] = [replaced, replaced, edited, edited, framed, framed, deep]
    while True:
        way = rng.randrange(len(ways) + 1)
        yield rng.choice(TEXTS) if way == len(ways) else ways[way](rng, rng.choice(good))


def expected(text: str, name: str) -> str:
    """The message id of the one answer that a frame must get, or nothing where the protocol has none for it."""
    try:
        frame = json.loads(text)
    except RecursionError:
        return "" if name == "2.1" and text.startswith("[6") else "-1"
    except ValueError:
        return "-1"
    if not isinstance(frame, list) or not frame or isinstance(frame[0], bool) or frame[0] is None:
        return "-1"
    silent: tuple[int, ...] = (3, 4, 5, 6) if name == "2.1" else (3, 4)
    if frame[0] in silent or (frame[0] != 2 and name == "1.6"):
        return ""
    known = len(frame) > 1 and isinstance(frame[1], str) and 0 < len(frame[1]) <= 36
    return str(frame[1]) if known else "-1"


def fault(text: str, name: str, answers: list[str]) -> str:
    """What is wrong with the answers to a frame; nothing if nothing is."""
    wanted = expected(text, name)
    if text.count("[") + text.count("{") > PARSER_DEPTH and answers:
        wanted = "-1" if answers[0].startswith('[4,"-1",') else "x"
    if len(answers) != bool(wanted):
        return f"{len(answers)} answers"
    for answer in answers:
        kind, unique_id, *rest = json.loads(answer)
        if unique_id != wanted or kind not in (3, 4) or len(answer) > ANSWER_LENGTH:
            return f"answer {answer[:80]}"
        if kind == 4 and rest[0] not in (CODES_16 if name == "1.6" else CODES_2):
            return f"code {rest[0]}"
    return ""


class Attack:
    """One connection that sends hostile frames and judges what comes back."""

    def __init__(self, port: int, name: str, seed: int) -> None:
        self._url, self._name = f"ws://127.0.0.1:{port}/fuzz", name
        self._frames = hostile(seed, name)
        self.outcomes: Counter[str] = Counter()
        self.faults: list[str] = []

    async def run(self, count: int) -> None:
        """Send ``count`` frames."""
        spoken = [messages(self._name).subprotocol]
        async with connect(self._url, subprotocols=spoken, compression=None, proxy=None, ping_interval=None) as link:
            for first in range(0, count, BATCH):
                chosen = [next(self._frames) for _ in range(min(BATCH, count - first))]
                await asyncio.wait_for(self._batch(link, chosen), PATIENCE_S)

    async def _batch(self, link: ClientConnection, chosen: list[str]) -> None:
        sending = asyncio.create_task(self._send(link, chosen))
        for number, text in enumerate(chosen):
            answers: list[str] = []
            while not (answer := str(await link.recv())).startswith(f'[3,"alive{number}"'):
                answers.append(answer)
            self._judge(text, answers)
        await sending

    async def _send(self, link: ClientConnection, chosen: list[str]) -> None:
        for number, text in enumerate(chosen):
            await link.send(text)
            await link.send(f'[2,"alive{number}","Heartbeat",{{}}]')

    def _judge(self, text: str, answers: list[str]) -> None:
        if found := fault(text, self._name, answers):
            self.faults.append(f"{self._name}: {found} to {text[:200]!r}")
        self.outcomes[_outcome(answers)] += 1


def _outcome(answers: list[str]) -> str:
    if not answers:
        return "ignored"
    frame = json.loads(answers[0])
    return "answered" if frame[0] == 3 else str(frame[2])


BROKEN = {
    "text that is no UTF-8": (b"\x81\x82\0\0\0\0\xff\xfe", 1007),
    "unmasked": (b"\x81\x01x", 1002),
    "reserved bits": (b"\xf1\x80\0\0\0\0", 1002),
    "unknown opcode": (b"\x83\x80\0\0\0\0", 1002),
    "ping of 200 bytes": (b"\x89\xfe\x00\xc8\0\0\0\0" + b"p" * 200, 1002),
    "continues nothing": (b"\x80\x80\0\0\0\0", 1002),
    "2 MB announced": (b"\x81\xff" + (2 << 20).to_bytes(8, "big") + b"\0\0\0\0", 1009),
    "close with 1 byte": (b"\x88\x81\0\0\0\0x", 1002),
}
"""What is no WebSocket, and the code by which the server closes."""


async def break_websocket(port: int, rounds: int) -> list[str]:
    """Send all of it on connections of their own; returns what was not closed as it should."""
    faults = []
    for what, (octets, code) in [*BROKEN.items()] * rounds:
        link = await connect(f"ws://127.0.0.1:{port}/x", subprotocols=[messages("1.6").subprotocol], proxy=None)
        link.transport.write(octets)
        try:
            await asyncio.wait_for(link.recv(), PATIENCE_S)
            faults.append(f"{what}: answered")
        except ConnectionClosed as closed:
            if closed.rcvd is None or closed.rcvd.code != code:
                faults.append(f"{what}: {closed}")
    return faults


async def attack(server: Served, options: argparse.Namespace) -> list[str]:
    """Everything; returns the faults."""
    attacks = [Attack(server.port, name, options.seed) for name in VERSIONS]
    share = -(-options.frames // len(attacks))
    await asyncio.gather(*(one.run(share // 10) for one in attacks))
    before = server.rss_kb()
    broken = await break_websocket(server.port, options.rounds)
    await asyncio.gather(*(one.run(share - share // 10) for one in attacks))
    growth = server.rss_kb() - before
    for name, one in zip(VERSIONS, attacks, strict=True):
        print(f"{name}: {one.outcomes.total()} frames: " + ", ".join(f"{k} {n}" for k, n in one.outcomes.most_common()))
    print(f"{len(BROKEN) * options.rounds} connections with broken WebSocket frames")
    print(f"memory of the server after the first tenth: {before} kB, {growth:+} kB till the end")
    late = [f"memory grew by {growth} kB"] if growth > GROWTH_KB else []
    return [*(fault for one in attacks for fault in one.faults), *broken, *late]


def main() -> int:
    """1 on any fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=30_000, help="in all (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of broken WebSocket frames (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        asyncio.run(serve_all())
        return 0
    command = [sys.executable, __file__, "--child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        faults = asyncio.run(attack(Served(process.pid, int(process.stdout.readline())), options))
        if process.poll() is not None:
            faults.append(f"the server ended with {process.returncode}")
        process.stdin.close()
    for line in faults[:20]:
        print(f"FAULT: {line[:160]}")
    print(f"{len(faults)} faults; ignored is legitimate for types 3, 4 and in 1.6 unknown ones, in 2.1 for 5 and 6")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

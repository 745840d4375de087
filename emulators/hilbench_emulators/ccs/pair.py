"""A station and a car that talk without any loop: time jumps from one message or timer to the next. Pure.

Every message goes through EXI and V2GTP, as on a wire, and takes ``delay_s``. The same machines run on TCP in
:mod:`hilbench_emulators.ccs.link`.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from hilbench.ccs import v2gtp
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.evcc import Evcc
from hilbench_emulators.ccs.secc import Secc
from hilbench_emulators.ccs.wire import pack, unpack

Tamper = Callable[[bool, ev.Send], ev.Send | None]
"""What becomes of a message on its way, given whether the car has sent it; None: it is lost."""


OnBytes = Callable[[float, bool, bytes], None]
"""Hears every message that goes out: time [s], whether the car has sent it, its bytes."""


def untouched(_of_car: bool, send: ev.Send) -> ev.Send:
    """Every message arrives as it was sent."""
    return send


class Said(NamedTuple):
    """An output at its time."""

    t_s: float
    of_car: bool
    output: ev.Output


@dataclass(order=True, slots=True)
class _Post:
    t_s: float
    number: int
    to_car: bool
    data: bytes


class Pair:
    """Both ends; ``said`` has their outputs unless ``record`` is False. The car begins at the first :meth:`run`."""

    def __init__(
        self,
        secc: Secc,
        evcc: Evcc,
        *,
        delay_s: float = 0.01,
        record: bool = True,
        tamper: Tamper = untouched,
        on_bytes: OnBytes | None = None,
    ) -> None:
        self.secc, self.evcc = secc, evcc
        self.now_s = 0.0
        self.said: list[Said] = []
        self.messages = 0
        self._delay_s, self._record, self._tamper, self._on_bytes = delay_s, record, tamper, on_bytes
        self._posts: list[_Post] = []
        self._begun = False

    def run(self, until_s: float = math.inf, until: Callable[[], bool] = lambda: False) -> None:
        """Go on until a time [s], a condition, or until both have ended."""
        if not self._begun:
            self._begun = True
            self._do(False, ev.Begin())
            self._do(True, ev.Begin())
        while not until():
            t_s = self.due_s
            if t_s > until_s or t_s == math.inf:
                self.now_s = self.now_s if until_s == math.inf else until_s
                return
            self.now_s = max(t_s, self.now_s)
            self._step()

    def mute_car(self) -> None:
        """From now on what the car sends is lost; its connection stays."""
        tamper = self._tamper
        self._tamper = lambda of_car, send: None if of_car else tamper(of_car, send)

    @property
    def due_s(self) -> float:
        """When something happens next [s]: a message arrives, or a timer is over."""
        if not self._begun:
            return self.now_s
        return min(self._posts[0].t_s if self._posts else math.inf, self.secc.due_s, self.evcc.due_s)

    def _step(self) -> None:
        if self._posts and self._posts[0].t_s <= self.now_s:
            post = heapq.heappop(self._posts)
            self._do(post.to_car, self._event(post))
        else:
            self._do(self.evcc.due_s <= self.now_s, ev.Timer())

    def _event(self, post: _Post) -> ev.Event:
        if not post.data:
            return ev.Closed()
        generation = self.evcc.generation if post.to_car else self.secc.progress.generation
        return unpack(v2gtp.unpack(post.data), generation)

    def station(self, event: ev.Event) -> None:
        """Something happens at the station."""
        self._do(False, event)

    def car(self, event: ev.Event) -> None:
        """Something happens at the car."""
        self._do(True, event)

    def _do(self, of_car: bool, event: ev.Event) -> None:
        side = self.evcc if of_car else self.secc
        for output in side.advance(self.now_s, event):
            if self._record:
                self.said.append(Said(self.now_s, of_car, output))
            if isinstance(output, ev.Send | ev.Close):
                self.messages += 1
                self._post(of_car, output)

    def _post(self, of_car: bool, output: ev.Send | ev.Close) -> None:
        data = b""
        if isinstance(output, ev.Send):
            sent = self._tamper(of_car, output)
            if sent is None:
                return
            data = pack(sent)
            if self._on_bytes is not None:
                self._on_bytes(self.now_s, of_car, data)
        heapq.heappush(self._posts, _Post(self.now_s + self._delay_s, self.messages, not of_car, data))

    def names(self) -> list[str]:
        """The messages so far, repetitions once."""
        names = [said.output.name for said in self.said if isinstance(said.output, ev.Send)]
        requests = [name for name in names if name.endswith("Req")]
        return [name for before, name in zip(["", *requests], requests, strict=False) if name != before]

    def bodies(self, name: str) -> list[tuple[float, dict[str, Any]]]:
        """Time and body of every message of a name."""
        return [
            (said.t_s, said.output.body)
            for said in self.said
            if isinstance(said.output, ev.Send) and said.output.name == name
        ]

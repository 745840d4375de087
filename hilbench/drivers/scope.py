"""An oscilloscope of one of four dialects: settings, single and long records, each checked against what was set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from hilbench import clock
from hilbench.drivers.scope_dialect import Channel, Dialect, Plan, Scale, Setup, Trigger
from hilbench.drivers.scope_keysight import Keysight
from hilbench.drivers.scope_rigol import Rigol, RigolDho
from hilbench.drivers.scope_siglent import Siglent
from hilbench.drivers.scope_tektronix import Tektronix
from hilbench.drivers.scpi import Identity, ScpiInstrument, instrument
from hilbench.drivers.scpi_reply import ReplyError
from hilbench.drivers.scpi_wire import Wire
from hilbench.errors import DeviceError
from hilbench.waveform import Accuracy, Waveform

T = TypeVar("T")
U = TypeVar("U")
DIALECTS: tuple[type[Dialect], ...] = (Rigol, RigolDho, Siglent, Keysight, Tektronix)
_POLL_S = 0.02
"""How often a running acquisition is asked for its state [chosen]."""

__all__ = ["DIALECTS", "Acquisition", "Channel", "Oscilloscope", "Setup", "Trigger", "dialect_of"]


@dataclass(frozen=True)
class Acquisition:
    """Records by channel; ``t0_s`` of each counts from the trigger.

    Bench times [s]: ``armed_s`` before the command to arm was sent, ``done_s`` when the end was seen.
    """

    records: dict[int, Waveform]
    armed_s: float
    done_s: float


def dialect_of(of: Identity) -> Dialect | None:
    """The dialect of an instrument; None when it is no oscilloscope known here."""
    maker, model = of.maker.upper(), of.model.upper()
    return next((kind() for kind in DIALECTS if kind.speaks(maker, model)), None)


class Oscilloscope:
    """The oscilloscope ``name`` at a VISA resource or ``tcp://host:port``, or on a link that there is.

    ``timeout_s`` as in :func:`~hilbench.drivers.scpi_wire.wire`; ``accuracy`` is that of its calibration, by default
    what its family promises; ``backend`` is the VISA library. Raises ``InputError`` for an address that is none.
    """

    def __init__(
        self,
        name: str,
        at: str | Wire | ScpiInstrument,
        *,
        timeout_s: float = 2.0,
        accuracy: Accuracy | None = None,
        backend: str = "",
    ) -> None:
        self.name = name
        self.link = instrument(name, at, timeout_s, backend)
        self._accuracy = accuracy
        self._dialect: Dialect | None = None
        self._setup: Setup | None = None
        self._plan: Plan | None = None

    async def start(self) -> None:
        """Connect and identify; raises ``DeviceError`` when it does not answer, or is no oscilloscope known here."""
        await self.link.start()
        assert self.link.identity is not None
        found = dialect_of(self.link.identity)
        if found is None:
            known = ", ".join(kind.family for kind in DIALECTS)
            error = self._error("*IDN?", f"is a {self.link.identity}, no oscilloscope of {known}")
            await self.stop()
            raise error
        self._dialect = found
        await self.link.find_queue(found.error_query)

    async def stop(self) -> None:
        """Disconnect."""
        await self.link.stop()

    async def set_up(self, setup: Setup) -> None:
        """Make the settings; raises ``InputError`` where the record does not fit, ``DeviceError`` where it refuses."""
        dialect = self._spoken()
        plan = dialect.plan(setup)
        await self.link.get_in_step()
        await self.link.tell(*dialect.set_up(setup, plan))
        self._setup, self._plan = setup, plan

    async def single(self, wait_s: float = 1.0) -> Acquisition:
        """Take one record of every channel, however long.

        Raises ``DeviceError`` when no trigger came within ``wait_s`` [s], when the instrument fails, and for a record
        that does not fit the settings.
        """
        dialect, setup, plan = self._spoken(), self._setup, self._plan
        if setup is None or plan is None:
            raise self._error("single", "has no settings: call set_up before")
        await self.link.get_in_step()
        armed_s = clock.time()
        await self.link.tell(*dialect.arm())
        await self._done(dialect, setup, plan, wait_s)
        done_s = clock.time()
        records = {number: await self._record(dialect, number, of, plan) for number, of in setup.channels.items()}
        return Acquisition(records, armed_s, done_s)

    async def _done(self, dialect: Dialect, setup: Setup, plan: Plan, wait_s: float) -> None:
        span_s = plan.time_per_division_s * dialect.divisions_x
        deadline = clock.time() + 1.1 * span_s + wait_s
        await asyncio.sleep(0.55 * span_s)  # it fills the half before the trigger first
        before = () if setup.trigger else (dialect.force,)
        while not self._understood(dialect.state, dialect.is_done, await self.link.ask(dialect.state, *before)):
            if clock.time() > deadline:
                await self.link.tell(dialect.halt)
                cause = "check probe and trigger level" if setup.trigger else "look at the instrument"
                raise self._error(dialect.state, f"no complete record {wait_s:g} s after its span ({cause})")
            await asyncio.sleep(_POLL_S)

    async def _record(self, dialect: Dialect, channel: int, of: Channel, plan: Plan) -> Waveform:
        screen = await self._screen(dialect, channel, of)
        choose, queries = dialect.describe(channel, plan)
        answers = await self._ask_all(queries, *choose)
        scale = self._understood(queries[0], lambda said: _checked(dialect, said, plan, screen), answers)
        values = await self._values(dialect, channel, scale)
        return Waveform(
            values,
            scale.dt_s,
            scale.t0_s,
            "V",
            abs(scale.gain_v) * dialect.step,
            self._accuracy or dialect.accuracy,
            f"{self.link.identity} channel {channel}",
        )

    async def _screen(self, dialect: Dialect, channel: int, of: Channel) -> tuple[float, float]:
        queries = dialect.screen(channel)
        screen = self._understood(queries[0], dialect.screen_of, await self._ask_all(queries))
        self._understood(queries[0], lambda found: dialect.check_screen(of, found), screen)
        return screen

    async def _values(
        self, dialect: Dialect, channel: int, scale: Scale
    ) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        values, size = np.empty(scale.points, np.float32), np.dtype(dialect.dtype).itemsize
        for start in range(0, scale.points, dialect.most_per_read):
            count = min(dialect.most_per_read, scale.points - start)
            *before, query = dialect.fetch(channel, start, count)
            data = await self.link.ask_block(query, count * size, *before)
            values[start : start + count] = dialect.volts(data, scale)
        return values

    async def _ask_all(self, queries: Sequence[str], *before: str) -> list[str]:
        return [await self.link.ask(query, *([] if n else before)) for n, query in enumerate(queries)]

    def _spoken(self) -> Dialect:
        if self._dialect is None:
            raise self._error("*IDN?", "has not been started")
        return self._dialect

    def _understood(self, query: str, meaning: Callable[[T], U], said: T) -> U:
        try:
            return meaning(said)
        except ReplyError as error:
            raise self.link.misunderstood(query, error) from None

    def _error(self, query: str, what: str) -> DeviceError:
        return self.link.error(query, what)


def _checked(dialect: Dialect, said: Sequence[str], plan: Plan, screen: tuple[float, float]) -> Scale:
    scale = dialect.scale_of(said)
    dialect.check(scale, plan, screen)
    return scale

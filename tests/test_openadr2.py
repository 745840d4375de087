"""OpenADR 2.0b: events as openleadr parses them, and the port against openleadr's own VTN over real sockets."""

from __future__ import annotations

import asyncio
import importlib
import math
import socket
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from hilbench import clock
from hilbench.controller.settings import ControllerSettings
from hilbench.controller.signals.events import Rules, limit_at
from hilbench.controller.signals.events2 import read_event2
from hilbench.controller.signals.openadr2 import OpenAdr2Settings, Signals2
from hilbench.controller.signals.values import RefusedError
from hilbench.errors import InputError
from tests.openadr_samples import EVENING

T0 = EVENING.timestamp()
RULES = Rules((math.inf, 75.0, 50.0, 0.0))


def raw(kind: str, how: str, *values: object, minutes: float = 15.0, **told: Any) -> dict[str, Any]:
    """An event of one signal whose intervals follow each other from ``EVENING`` on."""
    length = timedelta(minutes=minutes)
    intervals = [
        {"dtstart": EVENING + n * length, "duration": length, "signal_payload": v} for n, v in enumerate(values)
    ]
    signal = {"signal_name": kind, "signal_type": how, "intervals": intervals}
    descriptor = {"event_id": "e1", "event_status": "far", "priority": 1, **told}
    return {"event_descriptor": descriptor, "event_signals": [signal]}


@pytest.mark.parametrize(
    ("kind", "how", "values", "limits"),
    [
        ("SIMPLE", "level", (1, 3, 0), [75.0, 0.0, None]),
        ("simple", "level", (2.0,), [50.0, None, None]),
        ("LOAD_DISPATCH", "setpoint", (12.5, 30), [12.5, 30.0, None]),
        ("LOAD_CONTROL", "x-loadControlCapacity", (0.25, 1.0), [25.0, None, None]),
    ],
)
def test_signals_become_limits(kind: str, how: str, values: tuple[float, ...], limits: list[float | None]) -> None:
    """Levels, set points and shares of 100 kW, each for its interval."""
    event = read_event2(raw(kind, how, *values), RULES, 100.0)
    assert [limit_at([event], T0 + 60 + 900 * n) for n in range(3)] == limits
    assert limit_at([event], T0 - 1) is None


def test_what_is_no_limit_is_named() -> None:
    """A price and a change of load are ignored."""
    event = read_event2(raw("ELECTRICITY_PRICE", "price", 0.3), RULES, 100.0)
    assert (event.spans, event.ignored) == ((), ("ELECTRICITY_PRICE (price)",))


def test_a_cancelled_event_has_no_limit_and_0_is_no_priority() -> None:
    """Nor does one that is over; an interval of 0 has no end."""
    assert read_event2(raw("SIMPLE", "level", 1, event_status="cancelled"), RULES, 100.0).spans == ()
    event = read_event2(raw("SIMPLE", "level", 1, priority=0, minutes=0), RULES, 100.0)
    assert (event.priority, event.spans[0].end) == (math.inf, math.inf)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"event_descriptor": {"event_id": "x"}},
        raw("SIMPLE", "level", 4),
        raw("SIMPLE", "level", "1"),
        raw("LOAD_DISPATCH", "setpoint", -5),
        raw("SIMPLE", "level", 1, priority=-1),
        {"event_descriptor": {}, "event_signals": [{"signal_name": "SIMPLE", "intervals": [{"signal_payload": 1}]}]},
    ],
)
def test_a_wrong_event_is_refused(wrong: dict[str, Any]) -> None:
    """With a reason, whatever is missing or out of its range."""
    with pytest.raises(RefusedError):
        read_event2(wrong, RULES, 100.0)


def settings(port: int) -> OpenAdr2Settings:
    """A port of 100 kW whose limits rise at once."""
    return OpenAdr2Settings(
        url=f"http://127.0.0.1:{port}/OpenADR2/Simple/2.0b",
        ven_name="site",
        full_kw=100.0,
        release_spread_s=0.0,
        release_s=0.001,
        retry_s=0.2,
        tick_s=0.1,
    )


def test_it_needs_its_library_and_the_machines_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is an error that says what to do; so is a second VTN beside it."""

    async def made() -> None:
        Signals2(settings(1), print)

    with pytest.raises(InputError, match="use --time real"):
        clock.run(made(), "virtual")
    monkeypatch.setitem(sys.modules, "openleadr", None)
    with pytest.raises(InputError, match=r"pip install 'hilbench\[openadr2\]'"):
        clock.run(made(), "real")
    both = {"url": "http://vtn", "full_kw": 1.0}
    with pytest.raises(ValidationError, match="would give two limits"):
        ControllerSettings.model_validate(
            {
                "openadr": {**both, "client_id": "a", "client_secret_file": "s"},
                "openadr2": {**both, "ven_name": "a"},
            }
        )


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def vtn(port: int) -> Any:
    """A VTN that registers everybody and is polled every second."""
    pytest.importorskip("openleadr", reason="the extra openadr2 is not installed")
    made: Any = importlib.import_module("openleadr").OpenADRServer(
        vtn_id="VTN", http_port=port, requested_poll_freq=timedelta(seconds=1), show_server_cert_domain=False
    )

    async def registered(_info: object) -> tuple[str, str]:
        return "ven-1", "registration-1"

    made.add_handler("on_create_party_registration", registered)
    return made


@pytest.mark.filterwarnings("default:It is recommended to use web.AppKey")  # openleadr's server makes it
def test_limits_of_a_vtn_of_other_make_are_kept_and_end() -> None:
    """The port waits for a VTN that is late, takes a level and a set point as limits, and hears of a cancellation."""
    port = free_port()
    server = vtn(port)

    async def until(limits: list[float | None], wanted: float | None) -> None:
        async with asyncio.timeout(60.0):
            while not limits or limits[-1] != wanted:
                await asyncio.sleep(0.05)

    async def main() -> list[float | None]:
        limits: list[float | None] = []
        running = asyncio.create_task(Signals2(settings(port), limits.append).run())
        await asyncio.sleep(0.5)
        await server.run_async()
        begin = datetime.now(UTC)  # noqa: TID251 - the VTN lives by the machine's clock
        whole = [{"dtstart": begin, "duration": timedelta(hours=1), "signal_payload": 1}]
        server.add_event("ven-1", "SIMPLE", "level", whole, event_id="low")
        await until(limits, 75.0)
        part = [{"dtstart": begin, "duration": timedelta(hours=1), "signal_payload": 20.0}]
        server.add_event("ven-1", "LOAD_DISPATCH", "setpoint", part, event_id="lower")
        await until(limits, 20.0)
        server.cancel_event("ven-1", "lower")
        await until(limits, 75.0)
        server.cancel_event("ven-1", "low")
        await until(limits, None)
        running.cancel()
        await asyncio.wait([running])
        await server.stop()
        return limits

    assert clock.run(main(), "real") == [75.0, 20.0, 75.0, None]

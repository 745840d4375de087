"""Time: virtual, real and scaled loops, processes of a virtual loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench import clock
from hilbench.errors import ClockError, InputError


def test_a_day_of_sleep_costs_no_machine_time() -> None:
    """A virtual day passes in one jump, exactly."""

    async def main() -> float:
        await asyncio.sleep(86_400)
        return clock.time()

    assert clock.run(main()) == 86_400


def test_a_century_of_sleep_is_one_jump() -> None:
    """Waits longer than asyncio's own maximum of a day are not cut."""

    async def main() -> float:
        await asyncio.sleep(100 * 365 * 86_400)
        return clock.time()

    assert clock.run(main()) == 100 * 365 * 86_400


def test_now_counts_from_the_epoch() -> None:
    """UTC is the epoch plus loop time, and at() and seconds_since_epoch() are inverse."""
    epoch = datetime(2031, 1, 1, tzinfo=UTC)

    async def main() -> tuple[datetime, float]:
        await asyncio.sleep(90)
        return clock.now(), clock.seconds_since_epoch(clock.at(12.5))

    assert clock.run(main(), epoch=epoch) == (epoch + timedelta(seconds=90), 12.5)


MILLISECONDS = st.integers(0, 10**9).map(lambda ms: ms / 1000.0)
"""Delays up to 1e6 s, far coarser than the resolution of the clock, within which timers are due together."""


@given(st.lists(MILLISECONDS, min_size=1, max_size=20))
@settings(deadline=None)
def test_sleepers_wake_in_order_at_their_time(delays: list[float]) -> None:
    """Every sleeper wakes at its time, whatever the order of its start."""
    woken: list[float] = []

    async def sleeper(delay: float) -> None:
        await asyncio.sleep(delay)
        assert clock.time() == delay
        woken.append(delay)

    async def main() -> None:
        await asyncio.gather(*(sleeper(delay) for delay in delays))

    clock.run(main())
    assert woken == sorted(delays)


def test_nothing_scheduled_is_an_error_that_names_the_tasks() -> None:
    """A virtual loop where every task waits for ever raises instead of hanging."""

    async def waits_for_ever() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(ClockError, match=r"waits_for_ever"):
        clock.run(waits_for_ever())


def test_executors_are_refused() -> None:
    """Work in a thread would let the clock jump over it."""

    async def main() -> None:
        await asyncio.to_thread(print)

    with pytest.raises(ClockError, match="thread"):
        clock.run(main())


def test_calls_from_another_thread_are_refused() -> None:
    """A thread cannot wake a virtual loop."""
    errors: list[Exception] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def intrude() -> None:
            try:
                loop.call_soon_threadsafe(print)
            except ClockError as error:
                errors.append(error)

        thread = threading.Thread(target=intrude)
        thread.start()
        thread.join()

    clock.run(main())
    assert "threads" in str(errors[0])


def test_real_sockets_are_refused() -> None:
    """A real socket on a virtual loop would never be read."""

    async def main() -> None:
        near, far = socket.socketpair()
        try:
            asyncio.get_running_loop().add_reader(near, print)
        finally:
            near.close()
            far.close()

    with pytest.raises(ClockError, match="--time real"):
        clock.run(main())


@pytest.mark.parametrize(("text", "factor"), [("virtual", float("inf")), ("real", 1.0), ("x10", 10.0), ("x0.5", 0.5)])
def test_modes(text: str, factor: float) -> None:
    """The three kinds of time have one notation."""
    assert clock.parse_mode(text) == factor


@pytest.mark.parametrize("text", ["", "fast", "x", "x0", "10x", "x-3", "xinf"])
def test_unknown_modes_name_the_known_ones(text: str) -> None:
    """A mode that is none is an input error."""
    with pytest.raises(InputError, match="virtual, real or xK"):
        clock.parse_mode(text)


def test_a_scaled_loop_runs_faster_by_its_factor() -> None:
    """On x200, loop time has run at least its sleep when 1/200 of it has passed on the machine."""

    async def main() -> tuple[float, bool]:
        start = clock.time()
        await asyncio.sleep(10)
        return clock.time() - start, clock.is_virtual()

    slept, virtual = clock.run(main(), "x200")
    assert slept >= 10
    assert not virtual


def test_a_real_loop_starts_today_and_a_virtual_one_on_its_fixed_day() -> None:
    """Without an epoch, real time is the machine's and virtual time is the same on every run."""

    async def main() -> datetime:
        return clock.now()

    assert clock.run(main()) == clock.DEFAULT_EPOCH
    assert clock.run(main(), "real").year >= 2024


def test_a_foreign_loop_is_named() -> None:
    """now() on a loop that is not the bench's is an error, not a wrong time."""

    async def main() -> datetime:
        return clock.now()

    with pytest.raises(ClockError, match="EventLoop"):
        asyncio.run(main())


def test_sleep_until_the_past_returns_at_once() -> None:
    """sleep_until never goes back."""

    async def main() -> float:
        await asyncio.sleep(5)
        await clock.sleep_until(3)
        return clock.time()

    assert clock.run(main()) == 5


@given(st.floats(0.1, 900), st.floats(0, 60), st.floats(0, 86_400))
@settings(deadline=None)
def test_grids_are_multiples_of_utc(interval: float, offset: float, start: float) -> None:
    """next_multiple is after now, within one interval, and on the UTC grid."""

    async def main() -> None:
        await asyncio.sleep(start)
        t = clock.next_multiple(interval, offset)
        assert clock.time() < t <= clock.time() + interval * (1 + 1e-6) + 1e-5
        phase = (clock.current().epoch.timestamp() + t - offset) / interval
        assert abs(phase - round(phase)) * interval < 1e-5

    clock.run(main())


def test_a_grid_of_one_second_never_repeats_a_point() -> None:
    """Waiting for the next multiple from a multiple gives the one after it."""

    async def main() -> list[float]:
        points = []
        for _ in range(1000):
            await clock.sleep_until(clock.next_multiple(0.1))
            points.append(clock.time())
        return points

    points = clock.run(main())
    gaps = [b - a for a, b in pairwise(points)]
    assert min(gaps) > 0.0999
    assert max(gaps) < 0.1001


def _virtual() -> clock.VirtualLoop:
    loop = clock.current()
    assert isinstance(loop, clock.VirtualLoop)
    return loop


def test_a_suspended_process_stands_still_while_the_world_goes_on() -> None:
    """What was due during the stop happens at the resume; later timers keep their time."""

    async def ticker(log: list[float]) -> None:
        while True:
            await asyncio.sleep(1)
            log.append(clock.time())

    async def main() -> tuple[list[float], list[float]]:
        inside: list[float] = []
        outside: list[float] = []
        with clock.process("dut"):
            task = asyncio.create_task(ticker(inside))
        other = asyncio.create_task(ticker(outside))
        await asyncio.sleep(2.5)
        _virtual().suspend("dut")
        await asyncio.sleep(3)
        _virtual().resume("dut")
        await asyncio.sleep(2)
        task.cancel()
        other.cancel()
        return inside, outside

    assert clock.run(main()) == ([1, 2, 5.5, 6.5], [1, 2, 3, 4, 5, 6, 7])


def test_a_timer_that_is_due_after_the_resume_keeps_its_time() -> None:
    """A stop that ends before a timer is due changes nothing for it."""

    async def main() -> float:
        with clock.process("dut"):
            task = asyncio.create_task(asyncio.sleep(10))
        await asyncio.sleep(1)
        _virtual().suspend("dut")
        await asyncio.sleep(1)
        _virtual().resume("dut")
        await task
        return clock.time()

    assert clock.run(main()) == 10


def test_a_timer_cancelled_after_the_resume_does_not_run() -> None:
    """Held callbacks are still cancelled by their owner."""
    ran: list[str] = []

    async def main() -> None:
        loop = _virtual()
        with clock.process("dut"):
            late = loop.call_later(2, ran.append, "late")
            loop.call_later(1, late.cancel)
        loop.suspend("dut")
        await asyncio.sleep(5)
        loop.resume("dut")
        await asyncio.sleep(1)

    clock.run(main())
    assert ran == []


def test_a_process_can_be_stopped_again_before_it_has_caught_up() -> None:
    """What was released and has not run yet is held once more."""
    ran: list[float] = []

    async def main() -> None:
        loop = _virtual()
        with clock.process("dut"):
            loop.call_later(1, lambda: ran.append(clock.time()))
        loop.suspend("dut")
        await asyncio.sleep(5)
        loop.resume("dut")
        loop.suspend("dut")
        await asyncio.sleep(5)
        loop.resume("dut")
        await asyncio.sleep(1)

    clock.run(main())
    assert ran == [10]


def test_a_suspended_process_reads_nothing_and_its_peer_sees_an_open_connection() -> None:
    """Bytes sent to a stopped process wait for it; its socket stays open."""

    async def main() -> tuple[list[float], bool]:
        got: list[float] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(100):
                got.append(clock.time())
            writer.close()

        with clock.process("dut"):
            server = await asyncio.start_server(serve, "127.0.0.1", 7000)
        reader, writer = await asyncio.open_connection("127.0.0.1", 7000)
        writer.write(b"1")
        await asyncio.sleep(1)
        _virtual().suspend("dut")
        writer.write(b"2")
        await asyncio.sleep(9)
        open_while_stopped = not reader.at_eof() and not writer.is_closing()
        _virtual().resume("dut")
        await asyncio.sleep(1)
        writer.close()
        await asyncio.sleep(1)
        server.close()
        return got, open_while_stopped

    assert clock.run(main()) == ([0, 10], True)


def test_a_severed_process_resets_its_connections_and_stops_listening() -> None:
    """After a kill the peer sees a reset, and nobody answers at the address."""

    async def main() -> tuple[bool, bool]:
        async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionResetError):
                await reader.read(1)

        with clock.process("dut"):
            await asyncio.start_server(serve, "127.0.0.1", 7000)
        reader, _writer = await asyncio.open_connection("127.0.0.1", 7000)
        await asyncio.sleep(1)
        _virtual().sever("dut")
        reset = refused = False
        try:
            await reader.read(1)
        except ConnectionResetError:
            reset = True
        try:
            await asyncio.open_connection("127.0.0.1", 7000)
        except ConnectionRefusedError:
            refused = True
        return reset, refused

    assert clock.run(main()) == (True, True)

"""Whatever comes in whatever order, no CCS machine raises, and every session ends within a bounded time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.ccs import exi, v2gtp
from hilbench_emulators.ccs import Evcc, Limits, Quirks, Secc
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.figures import SIGNS, number, physical, rational, read, signed
from hilbench_emulators.ccs.pair import Pair
from hilbench_emulators.ccs.secc import TABLES
from hilbench_emulators.ccs.wire import Listener, heard, pack
from tests.ccs_pairs import WAYS, Way, charging, pair, secc, vehicle
from tests.ccs_samples import message, messages

SCHEMAS = (exi.APP_PROTOCOL, exi.DIN, exi.ISO2, exi.ISO20, exi.ISO20_AC, exi.ISO20_DC)
WANTS: tuple[ev.Want, ...] = ("stop", "emergency", "pause", "renegotiate", "service", "standby", "resume")
FLOATS = st.one_of(st.floats(-500.0, 500_000.0), st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan]))
LIMIT = st.builds(Limits, FLOATS, FLOATS, FLOATS, FLOATS, FLOATS, FLOATS, st.one_of(st.none(), FLOATS))
LOCAL = st.one_of(
    st.builds(ev.NewLimit, LIMIT),
    st.builds(ev.Measured, FLOATS, FLOATS),
    st.builds(ev.Authorised, st.booleans()),
    st.builds(ev.Wish, st.sampled_from(WANTS)),
)


def received(schema: exi.Schema) -> st.SearchStrategy[ev.Received]:
    """Any message of a schema."""
    return messages(schema).map(lambda pair_: ev.Received(schema.title, *pair_))


MESSAGES = st.sampled_from(SCHEMAS).flatmap(received)
EVENTS = st.one_of(MESSAGES, LOCAL, st.sampled_from([ev.Begin(), ev.Timer(), ev.Closed(), ev.Broken("x")]))
STEPS = st.lists(st.tuples(st.floats(0.0, 100.0), EVENTS), max_size=12)


def sound(side: Secc | Evcc, outputs: list[ev.Output]) -> None:
    """Every message can be sent, every set point is a number, and who has ended wants nothing more."""
    for output in outputs:
        if isinstance(output, ev.Send):
            pack(output)
        if isinstance(output, ev.Setpoint):
            assert math.isfinite(output.voltage_v)
            assert math.isfinite(output.current_a)
    if side.closed is not None:
        assert side.due_s == math.inf


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(WAYS), st.booleans(), STEPS)
def test_random_events_never_raise(way: Way, of_car: bool, steps: list[tuple[float, ev.Event]]) -> None:
    """From the first moment on, at a station and at a car."""
    side: Secc | Evcc = Evcc(vehicle(way)) if of_car else secc(way)
    t_s = 0.0
    for passed_s, event in [(0.0, ev.Begin()), *steps]:
        t_s += passed_s
        sound(side, side.advance(t_s, event))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(WAYS), st.floats(0.0, 6.0), st.lists(st.tuples(st.booleans(), EVENTS), max_size=6))
def test_random_events_in_a_session_never_raise(way: Way, at_s: float, steps: list[tuple[bool, ev.Event]]) -> None:
    """At any moment of a session that goes well, both sides keep to the sound."""
    both = pair(way)
    both.run(at_s)
    for of_car, event in steps:
        side: Secc | Evcc = both.evcc if of_car else both.secc
        sound(side, side.advance(both.now_s, event))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(WAYS), st.floats(0.0, 6.0), st.booleans(), st.data())
def test_any_values_of_the_message_that_is_expected_never_raise(
    way: Way, at_s: float, of_car: bool, data: st.DataObject
) -> None:
    """Messages of the right session and in order, with whatever values the schema allows, one after another."""
    both = pair(way)
    both.run(at_s)
    side: Secc | Evcc = both.evcc if of_car else both.secc
    for step in range(3):
        if side.closed is not None or (of_car and not both.evcc.waiting):
            return
        names = [f"{both.evcc.waiting[:-3]}Res"] if of_car else sorted(both.secc.progress.expects)
        name = data.draw(st.sampled_from(names))
        schema = ev.schema_of(way.protocol.generation, name)
        body = data.draw(message(exi.APP_PROTOCOL if name.startswith("supported") else schema, name))
        if "Header" in body:
            body["Header"]["SessionID"] = both.evcc.session_id if of_car else both.secc.progress.session_id
        if of_car and "Header" in body:
            body["ResponseCode"] = "OK"
        title = exi.APP_PROTOCOL.title if name.startswith("supported") else schema.title
        sound(side, side.advance(both.now_s + step * 0.1, ev.Received(title, name, body)))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(WAYS), st.floats(0.0, 6.0), st.data())
def test_every_request_is_answered_in_every_state(way: Way, at_s: float, data: st.DataObject) -> None:
    """Any request of the protocol, AC or DC, at any moment, leads to a response that can be sent."""
    both = pair(way)
    both.run(max(at_s, 0.1))
    name = data.draw(st.sampled_from(sorted(TABLES[way.protocol.generation])))
    schema = ev.schema_of(way.protocol.generation, name)
    body = data.draw(message(schema, name))
    body["Header"]["SessionID"] = both.secc.progress.session_id
    outputs = both.secc.advance(both.now_s, ev.Received(schema.title, name, body))
    sound(both.secc, outputs)
    assert [out.name for out in outputs if isinstance(out, ev.Send)] == [f"{name[:-3]}Res"]


class Jumbled(Pair):
    """Local events at given times, in the midst of a session."""

    def through(self, steps: list[tuple[float, bool, ev.Event]]) -> None:
        """Let them happen, then stop both sides and wait for their end."""
        for passed_s, of_car, event in steps:
            self.run(self.now_s + passed_s)
            (self.car if of_car else self.station)(event)
        self.station(ev.Wish("stop"))
        self.run(self.now_s + 200.0)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(WAYS),
    st.lists(st.tuples(st.floats(0.0, 8.0), st.booleans(), LOCAL), max_size=5),
    st.builds(Quirks, st.booleans(), st.booleans(), st.booleans(), st.booleans(), negative_limits=st.booleans()),
)
def test_every_session_ends_in_bounded_time(
    way: Way, steps: list[tuple[float, bool, ev.Event]], quirks: Quirks
) -> None:
    """Limits, measurements, wishes and quirks in any order: after a stop of the station both have ended in 200 s."""
    both = Jumbled(secc(way), Evcc(vehicle(way, quirks)))
    both.through(steps)
    assert both.secc.closed is not None
    assert both.evcc.closed is not None
    assert (both.secc.setpoint, both.secc.contactor) == (ev.Setpoint(0.0, 0.0), False)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(WAYS), st.booleans(), st.binary(max_size=200), st.sampled_from(sorted(v2gtp.NAMES)))
def test_bytes_never_raise(way: Way, of_car: bool, data: bytes, type_: int) -> None:
    """Neither bytes that are no V2GTP, nor V2GTP of any payload; the session ends in words."""
    for wire in (data, v2gtp.pack(type_, data)):
        both = pair(way)
        both.run(1.0)
        side: Secc | Evcc = both.evcc if of_car else both.secc
        for found in Listener().feed(wire):
            side.advance(1.0, heard(found, way.protocol.generation))
            assert side.closed


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_flipped_bit_on_the_wire_never_raises(way: Way) -> None:
    """Every bit of a request of the loop, and of its response, turned over: taken as a message or ended in words."""
    both = charging(way, 0.0)
    for of_car in (True, False):
        name = f"{way.loop}{'Req' if of_car else 'Res'}"
        sent = next(s.output for s in both.said if isinstance(s.output, ev.Send) and s.output.name == name)
        data = pack(sent)
        for bit in range(64, 8 * len(data), 3):
            wrong = bytearray(data)
            wrong[bit // 8] ^= 0x80 >> bit % 8
            again = Evcc(vehicle(way)) if not of_car else secc(way)
            _bring(again, both)
            for found in Listener().feed(bytes(wrong)):
                sound(again, again.advance(100.0, heard(found, way.protocol.generation)))


def _bring(side: Secc | Evcc, both: Pair) -> None:
    """To where the session was: in its loop."""
    if isinstance(side, Secc):
        side.progress = both.secc.progress
        side.setpoint = both.secc.setpoint
    else:
        side.generation, side.session_id = both.evcc.generation, both.evcc.session_id
        side.waiting, side.looping = both.names()[-1], True


@settings(max_examples=200, deadline=None)
@given(FLOATS)
def test_a_number_on_the_wire_is_never_more_than_it_was(value: float) -> None:
    """It is rounded towards zero, by less than one step of its exponent; what is no number is 0."""
    for sent, exponent in ((physical(value, "A"), "Multiplier"), (rational(value), "Exponent")):
        came = number(sent)
        if math.isnan(value):
            assert came == 0.0
        elif math.isfinite(value):
            assert abs(came) <= abs(value) + 1e-6
            assert abs(value - came) <= 10.0 ** sent[exponent] + 1e-6
        else:
            assert came == math.copysign(32_767_000.0, value)


@given(st.floats(-30_000.0, 0.0))
def test_limits_of_discharging_come_back_with_their_sign(value: float) -> None:
    """A size outside, 0 or below inside."""
    for name in SIGNS:
        field, sent = signed(name, value)
        assert number(sent) >= 0.0
        assert read({field: sent}, name, 1.0) == pytest.approx(value, abs=1.0)


def test_a_missing_field_has_its_default() -> None:
    """Optional limits that are not sent are the caller's."""
    assert read({}, "EVSEMaximumPowerLimit", 7.0) == 7.0

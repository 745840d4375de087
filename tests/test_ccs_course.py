"""The curves of a CCS session are those of its loop, for every service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hilbench.ccs.course import Course, course
from hilbench.ccs.session import of_lines
from hilbench_emulators.ccs import Evcc, Fixed, Secc, Station
from hilbench_emulators.ccs import events as ev
from hilbench_emulators.ccs.pair import Pair
from hilbench_emulators.ccs.wire import pack
from tests.ccs_pairs import AC20, AC_LIMITS, DC20, DIN, ISO2_AC, ISO2_DC, LIMITS, Way, vehicle


def played(way: Way) -> Course:
    """A session whose limits fall to a quarter after 60 s."""
    limits = AC_LIMITS if way.ac else LIMITS
    both = Pair(Secc(Station(services=(way.service,)), Fixed(limits)), Evcc(vehicle(way)))
    both.run(60.0)
    both.station(ev.NewLimit(replace(limits, max_a=limits.max_a / 4, max_w=limits.max_w / 4)))
    both.run(90.0)
    sent = [(said.t_s, pack(said.output)) for said in both.said if isinstance(said.output, ev.Send)]
    return course(of_lines(sent))


@pytest.mark.parametrize("way", [DIN, ISO2_DC, ISO2_AC, DC20[0], DC20[2], AC20[1]], ids=str)
def test_the_change_of_the_offer_is_found(way: Way) -> None:
    """One change at 60 s to a quarter; power where ISO 15118-20 has AC."""
    found = played(way)
    ((at, _what), *_later) = found.changes
    assert at == pytest.approx(60.0, abs=0.5)
    assert found.curves["offer"][-1][1] <= found.curves["offer"][0][1] / 4 * 1.02
    assert found.unit == ("W" if way.loop == "AC_ChargeLoop" else "A")


def test_a_power_limit_is_a_current() -> None:
    """25 kW at the present voltage are less than 50 A of an Ioniq 5."""
    found = played(DIN)
    volts = 25_000.0 / found.curves["offer"][-1][1]
    assert 600.0 < volts < 800.0


def test_nothing_is_no_course() -> None:
    """Without a loop there are no curves."""
    assert course([]).curves == {}

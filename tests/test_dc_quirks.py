"""Each misbehaviour of the DC catalogue shows at a station's outlet with its figure, and without it does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hilbench.chademo import CarState, CarStatus, ChargerState
from hilbench.dc_side import Cabinets, dc_settings
from hilbench.errors import InputError
from hilbench.rig import load_rig
from hilbench_emulators.ccs.figures import number
from hilbench_emulators.dc.cars import Port
from hilbench_emulators.dc_outlet.quirk import ALL
from hilbench_emulators.dc_outlet.quirks import QUIRKS, parts, quirk, station_quirks
from hilbench_emulators.dc_outlet.settings import CcsProtocol
from tests.dc_stand import CARS, GIVES, Allow, Stand, play

NOTHING = (Allow(30.0, 0.0),)
PAUSE = (*NOTHING, Allow(60.0))
SHUTDOWN = (Allow(30.0, able=False),)
FIRST_A_S = 13.446
"""When the CHAdeMO car of these tests asks for its first current, 20 A more each second."""


def _loops(found: Stand, name: str = "CurrentDemandReq") -> list[float]:
    return [said.t for said in found.log.messages if said.name == name]


def _ignores(*quirks: str) -> bool:
    found = play(*quirks, allows=(Allow(30.0, 20.0),))
    assert found.current_a(36.5) == pytest.approx(found.offered_a(36.5), abs=0.1)
    assert found.offered_a(36.5) < 35.0
    return found.current_a(33.0) > 140.0 and found.requested_a(59.0) > 140.0


def _locks(*quirks: str) -> bool:
    found = play(*quirks, allows=PAUSE, seconds=90.0)
    assert found.current_a(29.0) > 140.0
    assert found.current_a(50.0) == 0.0
    return found.current_a(89.0) == 0.0 and found.offered_a(89.0) > 140.0 and not found.ends()


def _ends_ccs(*quirks: str) -> bool:
    found = play(*quirks, allows=(*NOTHING, Allow(60.0, able=False), Allow(61.0)), seconds=90.0)
    return found.ends() == [pytest.approx(35.5, abs=0.5)] and found.sessions() == 1 and not found.current_a(80.0)


def _ends_chademo(*quirks: str) -> bool:
    again = (*NOTHING, Allow(60.0, able=False), Allow(61.0))
    found = play(*quirks, allows=again, seconds=90.0, connector="chademo")
    begun_end_s = 35.0
    return bool(found.ends()) and begun_end_s < found.ends()[0] < 40.0 and found.sessions() == 1


def _no_limit(*quirks: str) -> bool:
    return play(*quirks, allows=NOTHING).current_a(50.0) > 140.0


def _discharges(*quirks: str) -> bool:
    found = play(*quirks, allows=NOTHING, protocol="iso20", car=GIVES)
    assert found.current_a(29.0) > 80.0
    return found.current_a(50.0) < -80.0


def _discharges_chademo(*quirks: str) -> bool:
    return play(*quirks, allows=NOTHING, connector="chademo").current_a(50.0) == -15.0


def _cable(*quirks: str) -> bool:
    return max(play(*quirks).plant.drawn) == pytest.approx(32.0, abs=0.3)


def _less_ccs(*quirks: str) -> bool:
    found = play(*quirks, seconds=400.0)
    assert found.offered_a(100.0) > 140.0
    return found.most_a() == 60.0 and 360.0 < found.ends()[0] - _loops(found)[0] < 370.0


def _less_chademo(*quirks: str) -> bool:
    found = play(*quirks, connector="chademo")
    return found.most_a() == 60.0 and found.reasons == ["the car reports: current deviation"]


def _aborts(*quirks: str) -> bool:
    found = play(*quirks, allows=(Allow(FIRST_A_S + 2.0, 20.0),), connector="chademo")
    return len(found.ends()) == 1 and found.ends()[0] < 20.0


def _inrush(*quirks: str) -> bool:
    found = play(*quirks, connector="chademo", seconds=20.0)
    currents = [frame.current_a for _t, frame in found.frames(ChargerState)]
    return any(after - before >= 15 for before, after in pairwise(currents))


def _late(*quirks: str) -> bool:
    zero_s = FIRST_A_S + 2.0
    found = play(*quirks, allows=(Allow(zero_s, 0.0),), connector="chademo")
    return found.current_a(zero_s + 0.4) > found.current_a(zero_s + 0.1) > 5.0


def _slow(*quirks: str) -> bool:
    times = [t for t, _frame in play(*quirks, connector="chademo").frames(CarState)]
    return all(after - before == pytest.approx(0.225) for before, after in pairwise(times))


def _jitter(*quirks: str) -> bool:
    times = [t for t, _frame in play(*quirks, connector="chademo").frames(ChargerState)]
    return 0.14 < max(after - before for before, after in pairwise(times)) <= 0.1661


def _early(*quirks: str) -> bool:
    found = play(*quirks, connector="chademo")
    asked_t = found.first_t(CarState, lambda frame: frame.request_a > 0)
    return found.current_a(asked_t) == 3.0


def _first(*quirks: str) -> bool:
    found = play(*quirks)
    asked = [(number(b["EVTargetCurrent"]), number(b["EVTargetVoltage"])) for b in found.bodies("CurrentDemandReq")]
    assert found.least_a() == 0.0
    assert found.current_a(50.0) > 140.0
    return asked[0] == (-5.0, 250.0) and asked[1][0] >= 0.0 and asked[1][1] > 400.0


def _no_target(*quirks: str) -> bool:
    found = play(*quirks, protocol="iso20")
    modes = [body["Scheduled_DC_CLReqControlMode"] for body in found.bodies("DC_ChargeLoopReq")]
    assert found.current_a(50.0) > 140.0
    return {number(mode["EVTargetVoltage"]) for mode in modes} == {0.0}


def _whole(*quirks: str) -> bool:
    found = play(*quirks, allows=(Allow(30.0, 5.0),))
    asked_a, offered_a = found.requested_a(50.0), found.offered_a(50.0)
    assert offered_a - int(offered_a) > 0.0
    return asked_a == int(offered_a) == found.current_a(50.0)


def _negative(*quirks: str) -> bool:
    found = play(*quirks, allows=(Allow(30.0, 0.0, -20.0),), protocol="iso20", car=GIVES)
    told = number(
        found.bodies("DC_ChargeLoopReq")[-1]["BPT_Scheduled_DC_CLReqControlMode"]["EVMaximumDischargeCurrent"]
    )
    assert abs(told) == 100.0
    assert found.current_a(50.0) == pytest.approx(-22.4, abs=0.1)
    return told < 0.0


def _mirrors(*quirks: str) -> bool:
    found = play(*quirks, allows=(Allow(40.0, 16.0),), protocol="iso20", car=GIVES)
    assert found.current_a(59.0) > 10.0
    return found.current_a(30.0) < -80.0


def _idles(*quirks: str) -> bool:
    found = play(*quirks, allows=NOTHING, connector="chademo", seconds=420.0)
    return len(found.ends()) == 1 and 390.0 < found.ends()[0] < 400.0


def _target_changes(*quirks: str) -> bool:
    found = play(*quirks, connector="chademo")
    frames: list[CarState] = [frame for _t, frame in found.frames(CarState)]
    told = {bool(frame.status & CarStatus.CONTACTOR_OPEN): frame.target_voltage_v for frame in frames}
    assert found.current_a(50.0) == 117.0
    return told[False] == told[True] - 20


def _stays(*quirks: str) -> bool:
    found = play(*quirks, allows=SHUTDOWN)
    assert found.current_a(33.0) == 0.0
    return found.ends() == [pytest.approx(40.3, abs=0.3)]


def _loses(*quirks: str) -> bool:
    found = play(*quirks)
    return len(_loops(found)) == 39 and found.ends()[0] - _loops(found)[-1] < 0.6 and not found.current_a(20.0)


def _low_maximum(*quirks: str) -> bool:
    found = play(*quirks)
    told_v = number(found.bodies("CurrentDemandReq")[0]["EVMaximumVoltageLimit"])
    battery_v = number(found.bodies("PreChargeReq")[0]["EVTargetVoltage"])
    return 4.0 < told_v - battery_v < 6.0 and found.ends()[0] < 20.0 and 20.0 < found.most_a() < 140.0


def _refuses(*quirks: str) -> bool:
    found = play(*quirks)
    discovered = found.log.messages[-1]
    return discovered.body.get("SASchedules") == {} and found.ends()[0] - discovered.t < 0.05 and not found.most_a()


def _overshoots(*quirks: str) -> bool:
    found = play(*quirks)
    wanted_v = number(found.bodies("PreChargeReq")[0]["EVTargetVoltage"])
    reached_v = number(found.bodies("PreChargeRes")[-1]["EVSEPresentVoltage"])
    asked = _loops(found, "PreChargeReq")
    gave_up = asked[-1] - asked[0] == pytest.approx(6.75, abs=0.01) and found.ends()[0] - asked[0] < 7.1
    return gave_up and reached_v / wanted_v == pytest.approx(400.0 / 230.0, abs=0.01) and not found.most_a()


def _unanswered(*quirks: str) -> bool:
    found = play(*quirks, allows=SHUTDOWN)
    assert found.bodies("WeldingDetectionReq")
    assert found.current_a(found.ends()[0]) == 0.0
    return not found.bodies("WeldingDetectionRes") and 2.0 < found.ends()[0] - _loops(found)[-1] < 3.0


def _empty(*quirks: str) -> bool:
    found = play(*quirks)
    assert found.current_a(50.0) > 140.0
    return found.bodies("ChargeParameterDiscoveryRes")[-1].get("SASchedules") == {}


SHOWS: dict[str, tuple[Callable[..., bool], ...]] = {
    "ignores-lowered-limit": (_ignores,),
    "zero-locks-up": (_locks,),
    "ends-at-zero": (_ends_ccs, _ends_chademo),
    "zero-is-no-limit": (_no_limit,),
    "zero-is-discharge": (_discharges, _discharges_chademo),
    "cable-rating": (_cable,),
    "delivers-less": (_less_chademo,),
    "delivers-less-and-resets": (_less_ccs,),
    "aborts-on-reduction": (_aborts,),
    "inrush": (_inrush,),
    "late-output": (_late,),
    "slow-frames": (_slow,),
    "jitter": (_jitter,),
    "wrong-first-request": (_first,),
    "zero-target-voltage": (_no_target,),
    "whole-amperes": (_whole,),
    "negative-limits": (_negative,),
    "unequal-maxima": (_mirrors,),
    "early-current": (_early,),
    "idle-drop-out": (_idles,),
    "target-voltage-changes": (_target_changes,),
    "stays-after-shutdown": (_stays,),
    "no-retransmission": (_loses,),
    "low-maximum-voltage": (_low_maximum,),
    "refuses-empty-schedules": (_refuses,),
    "overshoots-without-load": (_overshoots,),
    "welding-unanswered": (_unanswered,),
    "empty-schedules": (_empty,),
}


@pytest.mark.parametrize(("quirk_id", "shows"), [(one, shows) for one, all_ in SHOWS.items() for shows in all_])
def test_the_misbehaviour_shows_only_when_asked_for(quirk_id: str, shows: Callable[..., bool]) -> None:
    """With it the outlet has the mark of it, without it has not."""
    assert shows(quirk_id)
    assert not shows()


def _fitting(connector: Port, protocol: CcsProtocol) -> list[str]:
    """Those that can show there."""
    either = [one for one in QUIRKS.values() if connector in one.connectors]
    return [one.id for one in either if connector == "chademo" or protocol in one.protocols]


DAY = (Allow(30.0, 0.0), Allow(40.0), Allow(50.0, able=False))


def _told(protocol: CcsProtocol, *quirks: str) -> list[tuple[str, dict[str, Any]]]:
    found = play(*quirks, allows=DAY, protocol=protocol, car=GIVES if protocol == "iso20" else None)
    return [(said.name, said.body) for said in found.log.messages]


@lru_cache
def _told_without(protocol: CcsProtocol) -> list[tuple[str, dict[str, Any]]]:
    return _told(protocol)


@pytest.mark.parametrize(
    ("quirk_id", "protocol"),
    [(one.id, protocol) for one in QUIRKS.values() if "ccs" in one.connectors for protocol in one.protocols],
)
def test_a_quirk_of_ccs_shows_in_each_of_its_protocols(quirk_id: str, protocol: CcsProtocol) -> None:
    """The session with it says something else than the one without."""
    assert _told(protocol, quirk_id) != _told_without(protocol)


@pytest.mark.parametrize("protocol", ALL)
def test_a_session_is_the_same_each_time(protocol: CcsProtocol) -> None:
    """So what differs is the quirk's doing."""
    assert _told(protocol) == _told_without(protocol)


@pytest.mark.parametrize(("connector", "protocol"), [("chademo", "iso2"), *(("ccs", protocol) for protocol in ALL)])
def test_quirks_do_not_get_in_each_others_way(connector: Port, protocol: CcsProtocol) -> None:
    """Two of them at once run to the end of the day, and no more flows than the modules have."""
    for first, second in pairwise(_fitting(connector, protocol)):
        found = play(first, second, allows=DAY, connector=connector, protocol=protocol)
        assert found.most_a() <= 150.0
        assert found.current_a(59.0) == 0.0


def test_all_twenty_misbehaviours_are_there() -> None:
    """Every number of the catalogue has a quirk, and every quirk a test here."""
    assert {one.number for one in QUIRKS.values()} == set(range(1, 21))
    assert SHOWS.keys() == QUIRKS.keys()


@pytest.mark.parametrize("quirk_id", QUIRKS)
def test_a_quirk_is_whole(quirk_id: str) -> None:
    """It says what, where from, how sure, in which procedure it shows, how that ends and why; its changes exist."""
    one = quirk(quirk_id)
    assert one.id == quirk_id
    assert all((one.what, one.source, one.confidence, one.shown.because))
    assert one.procedure in {f"13.{step}" for step in range(1, 9)}
    assert one.copes in ("fails", "copes")
    for connector in one.connectors:
        made = parts(CARS[connector], [quirk_id])
        assert (made, station_quirks([quirk_id])) != (parts(CARS[connector], []), station_quirks([]))


def test_an_unknown_misbehaviour_is_refused() -> None:
    """The error lists those that there are."""
    with pytest.raises(InputError, match=r"no quirk 'nothing'.*zero-locks-up"):
        quirk("nothing")


RIG = """
[site]
name = "one-dc"
service = {{ rating_a = 315, voltage_v = 400, wiring = "three-phase", frequency_hz = 50 }}
budget_a = 200

[[station]]
role = "dc"
device = "emulated:dc"
branch_a = 160
max_a = 125
connection = "L1-L2-L3"
vehicle = "{vehicle}"
quirks = {quirks}
dc = {{ connector = "{connector}", protocol = "{protocol}", modules = 2 }}

[meter.service]
"""


def _rig_file(folder: Path, connector: Port, protocol: str, quirks: list[str]) -> Path:
    path = folder / "rig.toml"
    path.write_text(RIG.format(connector=connector, protocol=protocol, vehicle=CARS[connector].name, quirks=quirks))
    return path


@pytest.mark.parametrize("connector", ["ccs", "chademo"])
@pytest.mark.parametrize("protocol", ["din", "iso20"])
def test_a_rig_takes_the_quirks_that_fit(tmp_path: Path, connector: Port, protocol: CcsProtocol) -> None:
    """All of the connector and the protocol at once; they are what stands behind the outlet."""
    fit = _fitting(connector, protocol)
    rig = load_rig(_rig_file(tmp_path, connector, protocol, fit))
    assert dc_settings(rig.station("dc"), Cabinets(rig), None).quirks == tuple(fit)


@pytest.mark.parametrize("quirk_id", QUIRKS)
def test_a_rig_refuses_a_quirk_that_cannot_show(tmp_path: Path, quirk_id: str) -> None:
    """One of the other connector, or of another protocol of CCS, is named in its place."""
    one = quirk(quirk_id)
    others: list[tuple[Port, CcsProtocol]] = [("ccs", "din"), ("ccs", "iso20"), ("chademo", "iso20")]
    for connector, protocol in others:
        if connector in one.connectors and (connector == "chademo" or protocol in one.protocols):
            continue
        with pytest.raises(InputError, match=f"'{quirk_id}' (is of|shows in)") as caught:
            load_rig(_rig_file(tmp_path, connector, protocol, [quirk_id]))
        assert [problem.where for problem in caught.value.problems] == ["station[0].quirks[0] (line 14)"]

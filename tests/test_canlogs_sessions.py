"""What is told of the CHAdeMO sessions in a log: the truth of our own sessions, and doubt where it is due."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hilbench.canlogs import Log, read_log
from hilbench.canlogs.report import Session, sessions
from hilbench.canlogs.story import Moment, thinned
from hilbench.chademo import CarFault, CarState, ChargerStatus, decode, encode
from hilbench.errors import InputError
from hilbench_emulators.chademo import CarModel, ChargerModel
from hilbench_emulators.chademo.models import V09, V20
from hilbench_emulators.chademo.plug import Fault, Shift, Stop
from tests.can_samples import FORMS, Recorded, recorded
from tests.chademo_play import QUICK, session

Order = tuple[float, str, object]


def read(frames: Recorded, form: str = "candump log") -> Log:
    """A log of frames."""
    return read_log("a log", FORMS[form](frames).encode())


def told(frames: Recorded) -> Session:
    """The only session of a log."""
    (found,), _notes = sessions(read(frames))
    return found


def played(
    car: CarModel | None = None, charger: ChargerModel | None = None, *orders: tuple[float, str, object]
) -> Session:
    """What is told of a session of ours, in which things happen."""
    found = session(car or CarModel(max_current_a=40), charger or QUICK)
    for t, side, event in orders:
        found.at(t, side, event)  # type: ignore[arg-type]  # as the test names it
    found.run(26.0)
    begin = found.trace[0][0]
    return told([(t - begin, can_id, data) for t, can_id, data in found.recorded()])


def whats(found: Session) -> list[str]:
    """The words of all moments."""
    return [moment.what for moment in found.moments]


def test_the_whole_story_is_told_in_order() -> None:
    """From the first frames to the open lock, as it happened."""
    found = told(recorded())
    words = [
        "first 100, 101, 102, 200, 201", "ready", "locked", "output up to 500 V", "contactor closed",
        "first request: 2 A", "offer 15 A to 0 A", "request 12 A to 0 A", "offer 0 A to 15 A",
        "stop control: 109.5.5 = 1", "no longer ready", "not charging", "contactor open", "unlocked",
    ]  # fmt: skip
    at = -1
    for word in words:
        at = next(index for index, what in enumerate(whats(found)) if index > at and what.startswith(word))
    assert [moment.t for moment in found.moments] == sorted(moment.t for moment in found.moments)


def test_facts_of_both_sides() -> None:
    """Protocols, voltages, capacity, offers, and what can be given back."""
    found = told(recorded())
    assert found.car
    assert found.charger
    assert {"protocol 1.0 to 1.2 (102.0 = 2)", "target 410 V", "at most 435 V", "capacity 22.2 kWh"} <= set(
        found.car.facts
    )
    assert {"up to 500 V", "offers 0 A to 15 A", "can take power back"} <= set(found.charger.facts)
    assert found.charge_pct == pytest.approx((56.0, 56.0))
    assert found.ramp_a_per_s == pytest.approx(20.0)


def test_bytes_in_reverse_order_are_turned_round() -> None:
    """A writer that began at the last byte: the same story, and the log says so."""
    reverse = [(t, can_id, data[::-1]) for t, can_id, data in recorded()]
    (found,), notes = sessions(read(reverse))
    assert whats(found) == whats(told(recorded()))
    assert any("reverse order" in note for note in notes)
    assert not any("reverse" in note for note in sessions(read(recorded()))[1])


def test_no_energy_of_impossible_voltages() -> None:
    """A charger that has the bytes of its voltages at wrong places: 59 545 V are told and not counted."""
    wrong = {0x108: "01AFC80BAFC80000", 0x109: "0299E8000105FF3C", 0x208: "FEFA00000000FEB0"}
    found = told([(t, i, bytes.fromhex(wrong[i]) if i in wrong else d) for t, i, d in recorded() if i != 0x209])
    assert found.energy.discharged_wh == 0.0
    assert found.charger
    assert "up to 51375 V (impossible)" in found.charger.facts
    assert any("output 59545 V" in line for line in found.unsure)


def test_the_change_of_the_offer_is_measured() -> None:
    """Request after less than 100 ms, output at 0 A after 0.5 s with a peak of 8 A; and the way back."""
    fall, rise = told(recorded()).changes
    assert (fall.before_a, fall.after_a, fall.peak_a, fall.matters) == (15, 0, 8, True)
    assert fall.request_s == pytest.approx(0.065, abs=1e-5)
    assert fall.output_s == pytest.approx(0.5, abs=1e-5)
    assert (rise.before_a, rise.after_a) == (0, 15)
    assert rise.request_s == pytest.approx(0.065, abs=1e-5)
    assert rise.output_s == pytest.approx(0.7, abs=1e-5)


def test_energy_is_that_of_the_battery() -> None:
    """40 A at some 370 V for 30 s; the integral of the log is that of the emulated battery within 2 %."""
    found = session(CarModel(max_current_a=40), QUICK)
    before = found.car.pack.soc_pct(0.0)
    found.at(35.0, "charger", Stop())
    found.run(60.0)
    gained_wh = (found.car.pack.soc_pct(60.0) - before) / 100.0 * 22_200.0
    read_back = told(found.recorded())
    assert read_back.energy.charged_wh == pytest.approx(gained_wh, rel=0.02)
    assert read_back.energy.peak_w == pytest.approx(40 * 366, rel=0.01)


def test_rhythm_is_measured() -> None:
    """100 ms of every id; with jitter the 99th percentile tells."""
    assert all(one.mean_s == pytest.approx(0.1, abs=1e-3) and not one.outside for one in told(recorded()).rhythms)
    late = played(None, replace(QUICK, jitter_s=0.066))
    charger = next(one for one in late.rhythms if one.id == 0x109)
    assert charger.mean_s == pytest.approx(0.1, abs=2e-3)
    assert 0.13 < (charger.p99_s or 0.0) <= (charger.longest_s or 0.0) <= 0.167
    assert (charger.outside or 0.0) > 0.5


@pytest.mark.parametrize(
    ("side", "event", "sure", "why"),
    [
        ("charger", Stop(), True, "stop control (109.5.5 = 1); no fault told"),
        ("car", Stop(), False, "not ready"),
        ("car", Fault(int(CarFault.HIGH_TEMPERATURE)), False, "fault high temperature"),
        ("car", Shift(), False, "not in park"),
        ("charger", Fault(int(ChargerStatus.SYSTEM_MALFUNCTION)), False, "system malfunction"),
    ],
)
def test_the_first_sign_of_the_end_is_named(side: str, event: object, sure: bool, why: str) -> None:
    """What either says; where the other's frame follows within a period, the order is said to be unsure."""
    end = played(None, None, (20.0, side, event)).ending
    assert why in end.why
    assert end.sure is sure
    assert end.who == side or not sure
    assert end.t == pytest.approx(20.0, abs=0.4)


def test_a_full_battery_is_a_likely_reason() -> None:
    """A stop by the car at 100 % without a fault."""
    found = session(CarModel(charged_to_pct=99.0), soc_pct=98.99)
    found.run(60.0)
    assert "probably full" in told(found.recorded()).ending.why


def test_a_silent_charger_is_named() -> None:
    """109 and 108 end while the car talks on and charging was on."""
    cut = [frame for frame in recorded() if frame[0] < 25.0 or frame[1] < 0x108 or frame[1] in (0x200, 0x201)]
    end = told(cut).ending
    assert end.who == "log"
    assert end.t == pytest.approx(25.0, abs=0.1)
    assert end.why.startswith("nothing from the charger for")


def test_a_log_that_ends_while_charging_says_so() -> None:
    """No reason is made up."""
    end = told([frame for frame in recorded() if frame[0] < 25.0]).ending
    assert (end.t, end.why) == (None, "the log ends while charging")


@pytest.mark.parametrize(
    ("before", "word"),
    [(2.0, "both talked"), (5.0, "did not lock"), (16.0, "did not request"), (17.3, "the charger did not begin")],
)
def test_a_session_that_never_charged_says_how_far_it_came(before: float, word: str) -> None:
    """By the last step that was seen."""
    end = told([frame for frame in recorded() if frame[0] < before]).ending
    assert word in end.why
    assert not end.sure


def test_only_one_side_in_the_log_is_no_obstacle() -> None:
    """What the other side did is not known, and said to be."""
    car = told([frame for frame in recorded() if frame[1] in (0x100, 0x101, 0x102)])
    assert car.charger is None
    assert car.ending.why == "only the car is in the log"
    assert any("no 109" in line for line in car.unsure)
    charger = told([frame for frame in recorded() if frame[1] in (0x108, 0x109)])
    assert charger.car is None
    assert charger.charge_pct is None


def test_a_log_that_begins_late_says_so() -> None:
    """The begin is missing: ready in the first frame."""
    late = told([frame for frame in recorded() if frame[0] > 20.0])
    assert any("the begin is not in the log" in line for line in late.unsure)


def test_the_lines_are_never_claimed() -> None:
    """d1, d2 and k are not on CAN: every report says so, and no moment names them."""
    found = told(recorded())
    assert any("d1, d2 and k" in line for line in found.unsure)
    assert not any(word in what.split() for what in whats(found) for word in ("d1", "d2", "k"))


def test_a_hole_in_the_recording_is_no_end() -> None:
    """Eight seconds are missing while charging: one session, the hole is told."""
    found = told([frame for frame in recorded() if not 24.0 < frame[0] < 29.9])
    assert sum(what.startswith("nothing from") for what in whats(found)) == 2
    assert found.ending.why.startswith("stop control")
    assert {one.holes for one in found.rhythms} == {1}


def test_two_sessions_after_another_are_parted() -> None:
    """A second plug-in 60 s later in the same recording."""
    frames = [*recorded(), *((t + 100.0, can_id, data) for t, can_id, data in recorded())]
    found, _notes = sessions(read(frames))
    assert [one.part.begin_s for one in found] == pytest.approx([0.0, 100.0])
    assert found[0].ending.why == found[1].ending.why


def test_an_older_car_has_its_own_reference() -> None:
    """0.9: 102.6 is a part of 255; the contactor is not told."""
    found = played(CarModel(protocol=V09), None, (20.0, "charger", Stop()))
    assert found.common == "0.9"
    assert found.charge_pct == pytest.approx((50.0, 50.0), abs=1.0)
    assert not any("contactor" in what for what in whats(found))


def test_control_of_2_0_is_told() -> None:
    """110 and 118 in words."""
    found = played(CarModel(protocol=V20), replace(QUICK, protocol=V20))
    assert found.car
    assert found.charger
    assert "110: dynamic" in found.car.facts
    assert "118: dynamic" in found.charger.facts


@pytest.mark.parametrize("form", FORMS)
def test_the_story_is_the_same_in_every_form(form: str) -> None:
    """Facts, changes, end and moments do not depend on who wrote the log."""
    (found,), _notes = sessions(read(recorded(), form))
    expected = told(recorded())
    assert (found.car, found.charger) == (expected.car, expected.charger)
    assert found.ending.why == expected.ending.why
    assert whats(found) == whats(expected)


def test_frames_of_another_bus_are_passed_over() -> None:
    """Foreign ids are counted; a second channel that uses 102 for something else is not taken."""
    lines = FORMS["candump log"](recorded()).splitlines()
    stranger = [line.replace("vcan0 102#029A", "can7 102#FFEE") for line in lines if " 102#" in line]
    foreign = [f"({1436509052 + step / 50:.6f}) vcan0 1DB#0011223344556677" for step in range(500)]
    log = read_log("a log", "\n".join(sorted([*lines, *stranger, *foreign])).encode())
    (found,), notes = sessions(log)
    assert found.part.foreign == 500
    assert found.part.unlikely == 0
    assert any("vcan0 is taken" in note for note in notes)
    with pytest.raises(InputError, match="no channel 'can9'"):
        sessions(log, "can9")


def test_ids_without_sense_are_refused() -> None:
    """Another bus with these ids is not told as a session; a log without them names the ids that it has."""
    noise = [
        (step / 10, can_id, b"\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8") for step in range(20) for can_id in (0x102, 0x109)
    ]
    with pytest.raises(InputError, match="what no car or charger says"):
        sessions(read(noise))
    with pytest.raises(InputError, match="its ids are 1DB"):
        sessions(read([(step / 10, 0x1DB, b"\x00" * 8) for step in range(20)]))
    with pytest.raises(InputError, match="two-wheelers"):
        sessions(read([(step / 10, 0x508, b"\x00" * 8) for step in range(20)]))


def test_a_damaged_frame_is_doubted() -> None:
    """One 102 of nonsense among many is counted, and the session is told all the same."""
    frames = list(recorded())
    at = next(index for index, frame in enumerate(frames) if frame[0] > 20.0 and frame[1] == 0x102)
    frames[at] = (frames[at][0], 0x102, b"\xff" * 8)
    found = told(frames)
    assert any(line.startswith("1 frames of 102 or 109") for line in found.unsure)


def test_an_offer_that_always_changes_does_not_drown_the_story() -> None:
    """Of each kind of moment a few are kept, and the rest counted."""
    many = [Moment(float(t), "charger", f"offer {t}", "offer") for t in range(50)] + [Moment(99.0, "car", "end")]
    kept = thinned(many, 6)
    assert len(kept) == 8
    assert kept[6].what == "... offer changes 44 times more, until 49.000 s"
    assert kept[7].what == "end"


def test_frames_as_a_forum_shows_them() -> None:
    """A 0.9 car each 43 ms among ids of a charger's insides (form of damienmaguire/LeafLogs): facts, and its rhythm."""
    lines = []
    for step in range(40):
        stamp = f"00:02:{5 + step * 0.043:06.3f}"
        lines += [
            f"Rcvd msgID: 0x102; 01; B1; 00; 00; 00; 08; 28; 00  {stamp}",
            f"Rcvd msgID: 0x100; 00; 00; 00; 00; BE; 00; 50; 00  {stamp}",
            f"Rcvd msgID: 0x108; 00; A4; 01; 7D; BE; 00; 00; 00  {stamp}",
            f"Rcvd msgID: 0x109; 01; 00; 00; 00; 00; 00; FF; 0A  {stamp}",
            f"Rcvd msgID: 0x404; 06; 58; FF; FE; 02; 4C; 00; 00  {stamp}",
        ]
    (found,), _notes = sessions(read_log("forum", "\n".join(lines).encode()))
    assert found.car
    assert found.charger
    assert found.car.facts[:3] == ("protocol 0.9 (102.0 = 1)", "target 177 V", "at most 190 V")
    assert found.charger.facts[:3] == ("protocol 0.9 (109.0 = 1)", "up to 420 V", "offers 125 A")
    assert found.charge_pct == pytest.approx((50.0, 50.0))
    assert found.rhythms[0].mean_s == pytest.approx(0.043, abs=1e-4)
    assert found.part.foreign == 40


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_damage_breaks_the_story(data: st.DataObject) -> None:
    """Frames lost, doubled, exchanged or overwritten at random: the report is still made."""
    frames = list(recorded()[::3])
    for _ in range(data.draw(st.integers(1, 30))):
        index = data.draw(st.integers(0, len(frames) - 1))
        match data.draw(st.sampled_from(["lose", "double", "move", "overwrite"])):
            case "lose":
                del frames[index : index + 50]
            case "double":
                frames.insert(index, frames[index])
            case "move":
                frames.insert(data.draw(st.integers(0, len(frames) - 1)), frames.pop(index))
            case _:
                t, can_id, _data = frames[index]
                frames[index] = (t, can_id, data.draw(st.binary(max_size=8)))
        if len(frames) < 2:
            return
    try:
        found, _notes = sessions(read(frames))
    except InputError:
        return
    assert all(one.moments for one in found)


def test_the_codec_and_the_log_agree() -> None:
    """Every frame of the log of our session encodes to the bytes that it was read from."""
    (recording,) = read(recorded()).recordings
    assert all(encode(decode(frame.id, frame.data)) == (frame.id, frame.data) for frame in recording)
    assert any(isinstance(decode(frame.id, frame.data), CarState) for frame in recording)

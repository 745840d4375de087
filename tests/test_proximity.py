"""Proximity: the plug in Type 1, the cable in Type 2, and stations that read the same resistor differently."""

from __future__ import annotations

import math

import pytest

from hilbench.errors import InputError
from hilbench_emulators.pilot.proximity import (
    CABLES_OHM,
    DECODERS,
    Plug,
    Type1,
    Window,
    cable_ohm,
    decoder,
    disagreements,
)

WINDOWS = [(name, window) for name, one in DECODERS.items() for window in one.windows]
BOUNDS_OHM: dict[str, list[tuple[float, float]]] = {
    "everest": [(80, 140), (140, 308), (308, 936), (936, 2460)],
    "phoenix-contact": [(75, 150), (150, 330), (330, 1000), (1000, 2200)],
    "warp": [(0, 150), (150, 330), (330, 1000), (1000, math.inf)],
    "openevse": [(0, 157.2), (157.2, 414.9), (414.9, 1013.8), (1013.8, 3587.4)],
    "iec": [(80, 140), (164, 308), (400, 936), (1100, 2460)],
}


@pytest.mark.parametrize(("plug", "volts"), [("open", 4.46), ("pressed", 2.76), ("latched", 1.51)])
def test_a_type_1_plug_has_three_voltages(plug: Plug, volts: float) -> None:
    """Open, button pressed and latched, as computed before; each is read as itself, and so is what is near it."""
    assert Type1().volts(plug) == pytest.approx(volts, abs=0.006)
    assert [Type1().plug(volts + error) for error in (-0.5, 0.0, 0.5)] == [plug] * 3


@pytest.mark.parametrize(("name", "window"), WINDOWS, ids=lambda value: str(getattr(value, "current_a", value)))
def test_a_window_of_a_decoder_ends_at_its_edges(name: str, window: Window) -> None:
    """The lower edge is in it, a millionth less is not; the upper edge is not, a millionth less is."""
    one = decoder(name)
    assert one.current_a(window.low_ohm) == window.current_a
    assert one.current_a(window.low_ohm * (1 - 1e-6) - 1e-9) != window.current_a
    if window.high_ohm < math.inf:
        assert one.current_a(window.high_ohm) != window.current_a
        assert one.current_a(window.high_ohm * (1 - 1e-6)) == window.current_a


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_has_the_windows_that_were_read(name: str) -> None:
    """63, 32, 20 and 13 A, in ohms; those of OpenEVSE are the middles between its ADC counts."""
    windows = decoder(name).windows
    assert [window.current_a for window in windows] == [63, 32, 20, 13]
    for window, bounds in zip(windows, BOUNDS_OHM[name], strict=True):
        assert (window.low_ohm, window.high_ohm) == pytest.approx(bounds, abs=0.1)


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("current_a", CABLES_OHM)
@pytest.mark.parametrize("error", [-0.03, 0.0, 0.03])
def test_all_decoders_know_the_cables(name: str, current_a: int, error: float) -> None:
    """Nominal resistors, 3 % either way, are read alike by all."""
    assert decoder(name).current_a(cable_ohm(current_a, error)) == current_a


@pytest.mark.parametrize(
    ("ohm", "phoenix", "everest"),
    [
        (307.9, 32, 32),
        (308.0, 32, 20),
        (329.9, 32, 20),
        (330.0, 20, 20),
        (935.9, 20, 20),
        (936.0, 20, 13),
        (999.9, 20, 13),
        (1000.0, 13, 13),
    ],
)
def test_decoders_disagree_between_their_windows(ohm: float, phoenix: int, everest: int) -> None:
    """From 308 to 330 and from 936 to 1000 ohm two stations allow the same cable different currents."""
    assert decoder("phoenix-contact").current_a(ohm) == phoenix
    assert decoder("everest").current_a(ohm) == everest
    assert bool(phoenix != everest) <= bool(disagreements(ohm))


def test_what_is_no_cable_is_refused_by_most() -> None:
    """A short or an open contact is no cable, but for the decoder that knows no limit."""
    assert {name for name, one in DECODERS.items() if one.current_a(20.0)} == {"warp", "openevse"}
    assert {name for name, one in DECODERS.items() if one.current_a(1e6)} == {"warp"}
    assert disagreements(220.0) == {}


def test_unknown_cables_and_decoders_are_answered_with_those_there_are() -> None:
    """Wrong names list the right ones."""
    with pytest.raises(InputError, match="13, 20, 32, 63"):
        cable_ohm(16)
    with pytest.raises(InputError, match="phoenix-contact"):
        decoder("phoenix")

"""Personalities: every file is sound, and every behaviour is seen at the pilot or in the reports of a station."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hilbench.controller.settings import ControllerSettings
from hilbench.errors import InputError
from hilbench.ocppj import call
from hilbench.rig import load_rig
from hilbench_emulators.personality import Behaviour, Reporting, load_personality, names
from hilbench_emulators.smart_charging import Options, Version
from hilbench_emulators.station.character import Shaper
from hilbench_emulators.station.configuration import Configuration
from hilbench_emulators.station.device_model import DeviceModel
from hilbench_emulators.station.recast import recast2
from hilbench_emulators.station.settings import StationSettings
from tests.test_security import meet
from tests.test_station16 import BRANCH, Bench, stamp

Scene = Callable[[Bench], Awaitable[Any]]


async def send(
    bench: Bench,
    purpose: str,
    *limits: tuple[int, float],
    stack: int = 1,
    unit: str = "A",
    duration: int | None = None,
    connector: int = 0,
) -> str:
    """Send a profile with ``limits`` (start, limit), a TxProfile for the running transaction; the status back."""
    schedule: dict[str, Any] = {
        "charging_rate_unit": unit,
        "charging_schedule_period": [{"start_period": at, "limit": limit} for at, limit in limits],
        "start_schedule": stamp(0),
    }
    profile: dict[str, Any] = {
        "charging_profile_id": 10 * len(purpose) + stack,
        "stack_level": stack,
        "charging_profile_purpose": purpose,
        "charging_profile_kind": "Absolute",
        "charging_schedule": schedule | ({} if duration is None else {"duration": duration}),
    }
    if purpose == "TxProfile":
        profile["transaction_id"] = bench.station.transaction_id
    assert bench.central is not None
    connector = 1 if purpose == "TxProfile" else connector
    request = call.SetChargingProfile(connector_id=connector, cs_charging_profiles=profile)
    return str((await bench.central.call(request)).status)


async def default(bench: Bench, limit: float, **more: Any) -> str:
    """Send a TxDefaultProfile of one limit."""
    return await send(bench, "TxDefaultProfile", (0, limit), **more)


async def charge(bench: Bench) -> None:
    """A car comes and settles."""
    await bench.station.plug_in(object())
    await asyncio.sleep(20)


async def offered(bench: Bench, after_s: float = 10.0) -> float:
    """The current on the pilot after a while [A]."""
    await asyncio.sleep(after_s)
    return round(bench.station.offered_a, 2)


async def tx_profile(b: Bench) -> Any:
    """A TxProfile of 14 A above a default of 10 A on connector 1."""
    await default(b, 10, connector=1)
    await charge(b)
    await send(b, "TxProfile", (0, 14))
    return await offered(b)


async def only_default(b: Bench) -> Any:
    """A default of 10 A."""
    await charge(b)
    await default(b, 10)
    return await offered(b)


async def tells_nothing(b: Bench) -> Any:
    """The composite schedule with nothing installed."""
    assert b.central is not None
    return (await b.central.call(call.GetCompositeSchedule(connector_id=1, duration=60))).status


async def station_maximum(b: Bench) -> Any:
    """A station maximum of 20 A."""
    await charge(b)
    await send(b, "ChargePointMaxProfile", (0, 20))
    return await offered(b)


async def high_limit(b: Bench) -> Any:
    """A limit of 25 A."""
    await charge(b)
    await default(b, 25)
    return await offered(b)


async def pause(b: Bench) -> Any:
    """A limit of 0 A."""
    await charge(b)
    await default(b, 0)
    return await offered(b)


async def after_a_pause(b: Bench) -> Any:
    """A limit of 10 A after one of 0 A."""
    await charge(b)
    await default(b, 0)
    await asyncio.sleep(30)
    await default(b, 10)
    return await offered(b)


async def after_reconnect(b: Bench) -> Any:
    """What is left of a limit of 10 A after the link was down for 5 s."""
    await charge(b)
    await default(b, 10)
    b.link.cut()
    await asyncio.sleep(5)
    b.link.restore()
    return await offered(b, 90)


async def while_offline(b: Bench) -> Any:
    """What is left of a default of 10 A when the link is down."""
    await charge(b)
    await default(b, 10)
    b.link.cut()
    return await offered(b, 20)


async def after_power_cycle(b: Bench) -> Any:
    """What is left of a limit of 10 A after a power cycle."""
    await charge(b)
    await default(b, 10)
    await b.station.power_cycle(5)
    return await offered(b, 30)


async def at_start(b: Bench) -> Any:
    """The pilot 60 s and 140 s after a transaction has begun under 13 A."""
    await default(b, 13)
    await b.station.plug_in(object())
    return await offered(b, 60), await offered(b, 80)


async def runs_out(b: Bench) -> Any:
    """A limit of 8 A for 20 s, 10 A afterwards."""
    await charge(b)
    await default(b, 10, stack=0)
    await default(b, 8, duration=20)
    return await offered(b, 40)


async def two_periods(b: Bench) -> Any:
    """9 A, and 11 A from 60 s on."""
    await charge(b)
    await send(b, "TxDefaultProfile", (0, 9), (60, 11))
    return await offered(b), await offered(b, 60)


async def lower(b: Bench) -> Any:
    """The pilot 20, 35 and 70 s after a limit of 16 A at full current."""
    await charge(b)
    await default(b, 16)
    return await offered(b, 20), await offered(b, 15), await offered(b, 35)


async def unrenewed(b: Bench) -> Any:
    """A limit of 16 A that is not sent again."""
    await charge(b)
    await default(b, 16)
    return await offered(b, 20), await offered(b, 20)


async def statuses(b: Bench) -> Any:
    """What is said to 6 A, to 10 A, to stack level 0 and to watts."""
    return [
        await default(b, 6),
        await default(b, 10),
        await default(b, 10, stack=0),
        await default(b, 4000, unit="W"),
    ]


async def reports(b: Bench) -> Any:
    """Number of meter values in 10 minutes, and currents and power of the first."""
    await b.station.plug_in(object())
    await asyncio.sleep(615)
    values = b.sent("MeterValues")
    samples = values[0]["meter_value"][0]["sampled_value"]
    shown = [(s["value"], s["unit"], s.get("phase")) for s in samples if s["measurand"].split(".")[-1] == "Import"]
    return len(values), shown


async def milliseconds(b: Bench) -> Any:
    """Whether the first status has a time with milliseconds."""
    return "." in b.sent("StatusNotification")[0]["timestamp"]


STANDARD_REPORT = [("32.00", "A", "L1"), ("7360", "W", None)]
ALL_FINE = ["Accepted"] * 4
DIFFERENCES: list[tuple[str, Scene, Any, Any]] = [
    ("microocpp", statuses, ALL_FINE, ["Rejected", "Rejected", "Rejected", "Accepted"]),
    ("sap-simulator", station_maximum, 20, 10),
    ("sap-simulator", tells_nothing, "Accepted", "Rejected"),
    ("shiv3", runs_out, 10, 8),
    ("shiv3", two_periods, (9, 11), (11, 11)),
    ("shiv3", after_reconnect, 10, 32),
    ("eveys", tx_profile, 14, 10),
    ("eveys", only_default, 10, 32),
    ("solidstudio-vcp", only_default, 10, 32),
    ("solidstudio-vcp", tells_nothing, "Accepted", "Rejected"),
    ("ignores-tx-profile", tx_profile, 14, 10),
    ("clamps-18a", high_limit, 25, 18),
    ("never-pauses", pause, 0, 9),
    ("forgets-on-resume", after_a_pause, 10, 32),
    ("forgets-on-reconnect", after_reconnect, 10, 32),
    ("start-window", at_start, (13, 13), (32, 13)),
    ("power-cycle-full", after_power_cycle, 10, 32),
    ("power-cycle-zero", after_power_cycle, 10, 0),
    ("abb-1-8-0", statuses, ALL_FINE, ["Rejected", "Accepted", "Accepted", "Accepted"]),
    ("evbox-stack", statuses, ALL_FINE, ["Accepted", "Accepted", "Rejected", "Accepted"]),
    ("offline-unlimited", while_offline, 10, 32),
    ("slow-to-follow", lower, (16, 16, 16), (32, 27, 16)),
    ("abl-meter", reports, (10, STANDARD_REPORT), (2, STANDARD_REPORT)),
    ("abl-meter", milliseconds, True, False),
    ("odd-units", reports, (10, STANDARD_REPORT), (10, [("32000", "A", None), ("7.36", "kW", None)])),
    ("zero-power", reports, (10, STANDARD_REPORT), (10, [("32.00", "A", "L1"), ("0", "W", None)])),
    ("keba-failsafe", unrenewed, (16, 16), (16, 6)),
]


@pytest.mark.parametrize(
    ("name", "scene", "standard", "own"), DIFFERENCES, ids=[f"{row[0]}, {row[1].__name__}" for row in DIFFERENCES]
)
def test_a_personality_differs_from_the_standard(name: str, scene: Scene, standard: Any, own: Any) -> None:
    """The same scene ends as OCPP says with the standard station, and as its source reports with this one."""
    assert Bench().run(scene) == standard
    assert Bench(personality=load_personality(name)).run(scene) == own


def test_every_personality_is_seen_to_differ() -> None:
    """No shipped file is without a scene that shows it."""
    assert {row[0] for row in DIFFERENCES} == set(names()) - {"standard"}
    assert len(names()) >= 12


@pytest.mark.parametrize("name", names())
def test_a_shipped_personality_loads_and_has_a_source(name: str) -> None:
    """Each file is sound, has its name as id, and says who has seen what it does."""
    found = load_personality(name)
    assert found.id == name
    assert all(len(source) > 10 for source in found.sources)
    used = (found.smart_charging.model_fields_set, found.behaviour.model_fields_set, found.reporting.model_fields_set)
    assert any(used) == (name != "standard")


def test_the_standard_changes_nothing() -> None:
    """Its options are those of the protocol's text, and it does nothing of its own."""
    standard = load_personality("standard")
    assert standard.options(Options(max_stack=7)) == Options(max_stack=7)
    assert (standard.behaviour, standard.reporting) == (Behaviour(), Reporting())


SOUND = 'title = "T"\nsources = ["s"]\nconfidence = "chosen"\n'
MISTAKES = {
    "top key": ('titel = "T"\n', "titel", "is not a key", "did you mean title?"),
    "behaviour": ("[behaviour]\nclamp_max = 3.0\n", "behaviour.clamp_max", "is not a key", "did you mean clamp_max_a?"),
    "option": (
        "[smart_charging]\nmax_stak = 3\n",
        "smart_charging.max_stak",
        "is not a key",
        "did you mean max_stack?",
    ),
    "code": ("[smart_charging]\ndelay = 3\n", "smart_charging.delay", "is not a key", ""),
    "occasion": ('[behaviour]\nforgets = ["sunday"]\n', "behaviour.forgets", "'sunday'", ""),
    "number": ('[reporting]\ninterval_s = "5"\n', "reporting.interval_s", "number", "quotes"),
}


@pytest.mark.parametrize(("text", "where", "what", "remedy"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_names_file_key_and_remedy(tmp_path: Path, text: str, where: str, what: str, remedy: str) -> None:
    """What a file says wrongly is one problem with its key, and a near miss is guessed."""
    path = tmp_path / "mine.toml"
    path.write_text(SOUND + text)
    with pytest.raises(InputError) as caught:
        load_personality(str(path))
    (problem,) = caught.value.problems
    assert caught.value.source == str(path)
    assert problem.where.startswith(where)
    assert what in problem.what
    assert remedy in problem.remedy


def test_an_unknown_personality_is_guessed() -> None:
    """A misspelt name is answered with the nearest one."""
    with pytest.raises(InputError, match="did you mean microocpp"):
        load_personality("micro-ocpp")


@pytest.mark.parametrize(
    ("line", "problem"), [("standard", ""), ("shiv33", "did you mean 'shiv3'"), ("x.toml", "x.toml")]
)
def test_a_rig_names_the_personality_of_a_station(tmp_path: Path, line: str, problem: str) -> None:
    """A known name is taken, a misspelt one and a missing file are told with their place."""
    text = (Path(__file__).parent.parent / "rigs" / "home.toml").read_text()
    (tmp_path / "r.toml").write_text(text.replace("[[station]]", f'[[station]]\npersonality = "{line}"', 1))
    if not problem:
        assert load_rig(str(tmp_path / "r.toml")).stations[0].personality == line
        return
    with pytest.raises(InputError) as caught:
        load_rig(str(tmp_path / "r.toml"))
    assert problem.replace("'", "") in str(caught.value).replace("'", "")


def test_a_station_says_what_its_personality_takes() -> None:
    """Units and figures that a controller can ask for are those of the make, in 1.6 and in 2.x."""
    settings = StationSettings(personality=load_personality("microocpp"), max_stack_level=3)
    assert Configuration(settings).value("ChargingScheduleAllowedChargingRateUnit") == "Power"
    assert Configuration(settings).value("ChargeProfileMaxStackLevel") == "3"
    assert DeviceModel(settings, BRANCH).value("SmartChargingCtrlr", "RateUnit") == "W"
    assert settings.options(Version.V201).units == {"W"}


def test_meter_values_of_ocpp_2_keep_their_true_units() -> None:
    """Milliamperes are amperes with a multiplier there, kilowatts have a unit of their own."""
    samples = [
        {"measurand": "Current.Import", "value": 16.0, "phase": "L1", "unit_of_measure": {"unit": "A"}},
        {"measurand": "Power.Active.Import", "value": 3680, "unit_of_measure": {"unit": "W"}},
    ]
    found = recast2(load_personality("odd-units").reporting, {"timestamp": "t", "sampled_value": samples})
    assert [(s["value"], s["unit_of_measure"]) for s in found["sampled_value"]] == [
        (16000.0, {"unit": "A", "multiplier": -3}),
        (3.68, {"unit": "kW"}),
    ]


def test_delayed_limits_are_not_lost_to_newer_ones() -> None:
    """Each limit takes effect after the delay, though the next one comes before."""
    shaper = Shaper(Behaviour(delay_s=10.0), 32.0, 0.0)
    shaper.shape(0.0, 32.0, True)
    assert shaper.shape(1.0, 20.0, True) == (32.0, 11.0)
    assert shaper.shape(6.0, 10.0, True) == (32.0, 11.0)
    assert shaper.shape(11.0, 10.0, True) == (20.0, 16.0)
    assert shaper.shape(16.0, 10.0, True)[0] == 10.0


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
@pytest.mark.parametrize(("name", "refused"), [("standard", False), ("evbox-stack", True)])
def test_a_personality_counts_in_every_version(
    name: str, refused: bool, version: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A fallback of stack level 0 is refused by the make that does so, in each version; it stands there another way."""
    limits: list[float] = []
    settings = StationSettings(personality=load_personality(name))
    meet(ControllerSettings(), settings, version=version, then=lambda station: limits.append(station.limit_a))
    assert limits == [8.0]
    assert ("stack level 0 was Rejected" in caplog.text) == refused

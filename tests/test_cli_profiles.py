"""``hilbench profiles explain``: what it says about limits, and about input that it cannot use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hilbench.cli import main

Capture = pytest.CaptureFixture[str]
AT = "2026-03-01T18:00:00Z"


def period(start: int, limit: float) -> dict[str, Any]:
    """A period as on the wire."""
    return {"startPeriod": start, "limit": limit}


def old(number: int, purpose: str, *periods: dict[str, Any], stack: int = 0, **more: Any) -> dict[str, Any]:
    """A profile of OCPP 1.6; ``schedule`` adds to its schedule."""
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": list(periods), **more.pop("schedule", {})}
    return {
        "chargingProfileId": number,
        "stackLevel": stack,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
        **more,
    }


def new(number: int, purpose: str, *periods: dict[str, Any], stack: int = 0, **more: Any) -> dict[str, Any]:
    """A profile of OCPP 2.x."""
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": list(periods), "startSchedule": AT}
    return {
        "id": number,
        "stackLevel": stack,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule | more.pop("schedule", {})],
        **more,
    }


def on(connector: int, profile: dict[str, Any]) -> dict[str, Any]:
    """A SetChargingProfile request of 1.6."""
    return {"connectorId": connector, "csChargingProfiles": profile}


def frame(payload: dict[str, Any]) -> list[Any]:
    """A request as an OCPP-J frame."""
    return [2, "1", "SetChargingProfile", payload]


EVENING = [
    old(1, "ChargePointMaxProfile", period(0, 20)),
    old(2, "TxDefaultProfile", period(0, 8), period(7200, 32), schedule={"startSchedule": AT}),
    old(3, "TxDefaultProfile", period(0, 10), stack=1, schedule={"startSchedule": "2026-03-01T22:00:00Z"}),
]


def explained(capsys: Capture, folder: Path, data: Any, *options: str) -> dict[str, Any]:
    """The answer about ``data``, as JSON, from 18:00 on."""
    path = folder / "p.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    code = main(["profiles", "explain", str(path), "--at", AT, "--json", *options])
    out, err = capsys.readouterr()
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def limits(found: dict[str, Any]) -> list[tuple[str, float, Any]]:
    """Start, limit and decider of each interval."""
    return [
        (i["from"][11:16], i["limit_a"][0], [d if d == "hardware" else d["id"] for d in i["decided_by"]])
        for i in found["intervals"]
    ]


def why(found: dict[str, Any], interval: int) -> dict[int, str]:
    """Why profiles do not decide in an interval, by id."""
    return {other["id"]: other["why"] for other in found["intervals"][interval]["others"]}


def test_it_says_what_holds_when_and_who_decides(capsys: Capture, tmp_path: Path) -> None:
    """Intervals without gaps: default, then capped by the maximum, then a default of a higher stack level."""
    found = explained(capsys, tmp_path, EVENING)
    assert limits(found) == [("18:00", 8, [2]), ("20:00", 20, [1]), ("22:00", 10, [3])]
    ends = [(i["from"], i["to"]) for i in found["intervals"]]
    assert [end for _, end in ends[:-1]] == [start for start, _ in ends[1:]]


def test_it_says_in_words_why_the_others_do_not(capsys: Capture, tmp_path: Path) -> None:
    """Not begun, capped, lower stack level, more than another."""
    found = explained(capsys, tmp_path, EVENING)
    assert why(found, 0) == {
        1: "allows 20 A, more than TxDefaultProfile 2",
        3: "no period then: its schedule begins at 2026-03-01T22:00:00Z",
    }
    assert why(found, 1)[2] == "allows 32 A, capped by ChargePointMaxProfile 1"
    assert why(found, 2)[2] == "stack level 0 is lower than 1 of profile 3"


def test_a_transactions_own_profile_overrules_the_default(capsys: Capture, tmp_path: Path) -> None:
    """With the transaction that it names; without one it is refused, and the default holds."""
    data = [on(0, old(2, "TxDefaultProfile", period(0, 8))), on(1, old(9, "TxProfile", period(0, 16), transactionId=7))]
    found = explained(capsys, tmp_path, data)
    assert (found["transaction_id"], limits(found)) == (7, [("18:00", 16, [9])])
    assert why(found, 0) == {2: "overruled by TxProfile 9"}
    idle = explained(capsys, tmp_path, data, "--no-transaction")
    assert limits(idle) == [("18:00", 8, [2])]
    assert idle["refused"][0]["reason"] == "TxNotFound: no transaction on outlet 1"
    other = explained(capsys, tmp_path, data, "--transaction", "8")
    assert other["refused"][0]["reason"] == "TxNotFound: no transaction 7 on outlet 1"


@pytest.mark.parametrize("ocpp", ["1.6", "2.0.1"])
def test_relative_schedules_count_from_the_start_of_the_transaction(capsys: Capture, tmp_path: Path, ocpp: str) -> None:
    """One that began an hour ago is in the second period of a profile."""
    periods = (period(0, 6), period(1800, 16), period(7200, 8))
    older = old(1, "TxDefaultProfile", *periods, chargingProfileKind="Relative")
    newer = new(1, "TxDefaultProfile", *periods, chargingProfileKind="Relative")
    del newer["chargingSchedule"][0]["startSchedule"]
    found = explained(capsys, tmp_path, [older if ocpp == "1.6" else newer], "--since", "2026-03-01T17:00:00Z")
    assert limits(found) == [("18:00", 16, [1]), ("19:00", 8, [1])]


def test_validity_and_durations_end(capsys: Capture, tmp_path: Path) -> None:
    """Before validFrom, after validTo and after its duration a profile is silent, and says so."""
    data = [
        old(
            1,
            "TxDefaultProfile",
            period(0, 6),
            stack=1,
            validFrom="2026-03-01T19:00:00Z",
            validTo="2026-03-01T20:00:00Z",
        ),
        old(2, "TxDefaultProfile", period(0, 7), schedule={"startSchedule": AT, "duration": 10800}),
    ]
    found = explained(capsys, tmp_path, data)
    assert limits(found) == [("18:00", 7, [2]), ("19:00", 6, [1]), ("20:00", 7, [2]), ("21:00", 32, ["hardware"])]
    assert why(found, 0)[1] == "not valid yet (validFrom 2026-03-01T19:00:00Z)"
    assert why(found, 3) == {
        1: "expired (validTo 2026-03-01T20:00:00Z)",
        2: "no period then: its schedule of 10800 s is over",
    }


def test_what_a_station_would_refuse_is_listed_with_its_reason(capsys: Capture, tmp_path: Path) -> None:
    """Beyond the highest stack level, and periods that do not rise; the rest still counts."""
    data = [EVENING[0], old(5, "TxDefaultProfile", period(0, 6), stack=99), old(6, "TxDefaultProfile", period(5, 6))]
    found = explained(capsys, tmp_path, data)
    assert [(r["where"], r["id"], r["reason"]) for r in found["refused"]] == [
        ("entry 1", 5, "InvalidStackLevel: stackLevel is above 10"),
        ("entry 2", 6, "startPeriod of the first chargingSchedulePeriod is not 0"),
    ]
    assert limits(found) == [("18:00", 20, [1])]


def test_watts_count_by_phases_and_voltage(capsys: Capture, tmp_path: Path) -> None:
    """6.9 kW are 10 A on each of three phases of 230 V."""
    data = [new(1, "TxDefaultProfile", period(0, 6900), schedule={"chargingRateUnit": "W"})]
    found = explained(capsys, tmp_path, data)
    assert (found["intervals"][0]["limit_a"], found["intervals"][0]["limit_w"]) == ([10, 10, 10], 6900)


@pytest.mark.parametrize(
    ("profile", "version"),
    [
        (old(1, "TxDefaultProfile", period(0, 6)), "1.6"),
        (new(1, "TxDefaultProfile", period(0, 6)), "2.0.1"),
        (new(1, "TxDefaultProfile", period(0, 6), schedule={"useLocalTime": False}), "2.1"),
        (new(1, "PriorityCharging", period(0, 6)), "2.1"),
    ],
)
def test_the_version_is_seen_from_the_profiles(capsys: Capture, tmp_path: Path, profile: Any, version: str) -> None:
    """By their keys; what only 2.1 knows makes it 2.1."""
    assert explained(capsys, tmp_path, [profile])["ocpp"] == version


SHAPES = {
    "bare": EVENING,
    "requests": [on(0, profile) for profile in EVENING],
    "frames": [frame(on(0, profile)) for profile in EVENING],
    "log": "\n".join(["18:00 hello", *(json.dumps(frame(on(0, profile))) for profile in EVENING), "[3,1,{}]", ""]),
    "words": "\n".join("2026 csms -> CP1: " + json.dumps(frame(on(0, p)), separators=(",", ":")) for p in EVENING),
    "ours": "\n".join(json.dumps({"station": "CP1", "frame": frame(on(0, profile))}) for profile in EVENING),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_file_gives_the_same_answer(capsys: Capture, tmp_path: Path, shape: str) -> None:
    """Bare profiles, requests, frames, and logs with a frame per line among other things."""
    found = explained(capsys, tmp_path, SHAPES[shape])
    assert limits(found) == [("18:00", 8, [2]), ("20:00", 20, [1]), ("22:00", 10, [3])]


def test_a_log_clears_profiles_and_starts_transactions_with_them(capsys: Capture, tmp_path: Path) -> None:
    """By id, by criteria, and a TxProfile that comes with a remote start; in both families of versions."""
    defaults = [frame(on(0, profile)) for profile in EVENING]
    by_id = [2, "5", "ClearChargingProfile", {"id": 2}]
    assert limits(explained(capsys, tmp_path, [*defaults, by_id])) == [("18:00", 20, [1]), ("22:00", 10, [3])]
    criteria = {"chargingProfilePurpose": "ChargePointMaxProfile"}
    found = explained(capsys, tmp_path, [*defaults, [2, "5", "ClearChargingProfile", criteria]])
    assert limits(found) == [("18:00", 8, [2]), ("20:00", 32, [2]), ("22:00", 10, [3])]
    everything = [2, "5", "ClearChargingProfile", {}]
    assert limits(explained(capsys, tmp_path, [*defaults, everything])) == [("18:00", 32, ["hardware"])]
    start = {"connectorId": 1, "idTag": "x", "chargingProfile": old(9, "TxProfile", period(0, 7))}
    remote = [2, "6", "RemoteStartTransaction", start]
    assert limits(explained(capsys, tmp_path, [*defaults, remote])) == [("18:00", 7, [9]), ("22:00", 7, [9])]
    newer = [
        frame({"evseId": 0, "chargingProfile": new(1, "TxDefaultProfile", period(0, 6))}),
        [2, "1", "ClearChargingProfile", {"chargingProfileCriteria": {"evseId": 0, "stackLevel": 0}}],
        [
            *(2, "2", "RequestStartTransaction"),
            {
                "evseId": 1,
                "remoteStartId": 1,
                "idToken": {"idToken": "x", "type": "ISO14443"},
                "chargingProfile": new(2, "TxProfile", period(0, 9)),
            },
        ],
    ]
    found = explained(capsys, tmp_path, newer)
    assert (limits(found), found["refused"]) == ([("18:00", 9, [2])], [])


def test_a_log_of_one_line_is_a_log(capsys: Capture, tmp_path: Path) -> None:
    """Although it is a JSON object as a whole."""
    text = json.dumps({"time": AT, "station": "CP1", "direction": "in", "frame": frame(on(0, EVENING[0]))})
    assert limits(explained(capsys, tmp_path, text)) == [("18:00", 20, [1])]


def test_a_log_of_several_stations_wants_one_named(capsys: Capture, tmp_path: Path) -> None:
    """Without --station they are listed; with it only its frames count."""
    lines = [{"station": name, "frame": frame(on(0, old(1, "TxDefaultProfile", period(0, amps))))}
             for name, amps in (("CP1", 6), ("CP2", 16))]  # fmt: skip
    text = "\n".join(map(json.dumps, lines))
    assert limits(explained(capsys, tmp_path, text, "--station", "CP2")) == [("18:00", 16, [1])]
    assert main(["profiles", "explain", str(tmp_path / "p.json")]) == 2
    assert "is of 2 stations (choose one: CP1, CP2)" in capsys.readouterr().err


def test_the_table_has_bars_and_the_picture_is_svg(capsys: Capture, tmp_path: Path) -> None:
    """Without --json a line per interval with a bar; --svg writes a drawing."""
    path, svg = tmp_path / "p.json", tmp_path / "p.svg"
    path.write_text(json.dumps(EVENING))
    assert main(["profiles", "explain", str(path), "--at", AT, "--svg", str(svg)]) == 0
    out = capsys.readouterr().out
    assert (
        "18:00:00  03-01 20:00:00            8   5520  ████············  2 TxDefaultProfile, stack 0, period 0" in out
    )
    assert svg.read_text().startswith("<svg")


ONE = old(1, "TxDefaultProfile", period(0, 6))
BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "is empty"),
    "not text": (b"\xff\xfe\x00", "is not UTF-8 text (byte 0)"),
    "not json": ('[{"a": 1,}]', "line 1, column 10: is not JSON"),
    "prose": ("hello\nworld", "line 1, column 1: is not JSON"),
    "number": ("5", "is not a list of charging profiles but a number"),
    "empty list": ("[]", "has no SetChargingProfile"),
    "nested": ("[" * 100_000, "p.json: "),
    "list of numbers": ("[1, 2]", "entry 0: is a number (expected a charging profile"),
    "other object": ('[{"foo": 1}]', "entry 0: is an object with foo (expected"),
    "other frame": ('[[2, "1", "Heartbeat", {}]]', "entry 0: is a Heartbeat (only requests with a profile"),
    "null payload": ('[[2, "1", "SetChargingProfile", null]]', "entry 0: is null (expected"),
    "no stack": (
        json.dumps([ONE, {k: v for k, v in ONE.items() if k != "stackLevel"}]),
        "entry 1: csChargingProfiles: ",
    ),
    "text limit": (
        json.dumps([old(1, "TxDefaultProfile", {"startPeriod": 0, "limit": "six"})]),
        'entry 0: csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit: "six" is not of type "number"',
    ),
    "purpose": (json.dumps([old(1, "Foo", period(0, 6))]), "entry 0: csChargingProfiles.chargingProfilePurpose: "),
    "no evse": (
        json.dumps([{"chargingProfile": new(1, "TxProfile", period(0, 6))}]),
        'request: "evseId" is a required',
    ),
    "text evse": (json.dumps([on("x", ONE)]), 'connectorId: "x" is not of type "integer"'),  # type: ignore[arg-type]
    "no number": ('[{"chargingProfileId": NaN}]', "is not JSON: NaN is no number of JSON"),
    "null profile": (json.dumps([{"connectorId": 1, "csChargingProfiles": None}]), "csChargingProfiles: null is not"),
    "mixed": (json.dumps([ONE, new(1, "TxProfile", period(0, 6))]), "entry 1: is of OCPP 2.x, entry 0 of OCPP 1.6"),
    "half a surrogate": (json.dumps([old(1, "\ud800", period(0, 6))]), "entry 0"),
    "line of a log": ("x\n" + json.dumps(frame({})), "line 2: is an object with nothing (expected"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_with_file_entry_and_field(capsys: Capture, tmp_path: Path, name: str) -> None:
    """Exit code 2 and a line that says where; never a traceback."""
    data, message = BAD[name]
    path = tmp_path / "p.json"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    code = main(["profiles", "explain", str(path)])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert str(path) in err
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--at", "yesterday"], "is not an ISO 8601 time"),
        (["--at", "0001-01-01T00:00:00Z"], "is not between the years"),
        (["--for", "soon"], "is not a duration"),
        (["--for", "0"], "is not a duration"),
        (["--evse", "-1"], "--evse"),
        (["--zone", "Nowhere/At_All"], "there is no time zone 'Nowhere/At_All'"),
        (["--zone", "../etc"], "there is no time zone"),
        (["--ocpp", "2.1"], "has not the shape of OCPP 2.1"),
        (["--transaction", "x"], "is not a whole number, as OCPP 1.6 wants it"),
        (["--no-transaction", "--since", AT], "excludes"),
        (["--voltage", "nan"], "--voltage"),
        (["--max-a", "inf"], "--max-a"),
        (["--svg", "/nowhere/at/all.svg"], "cannot be written"),
        (["--station", "CP7"], "has no SetChargingProfile for station CP7"),
    ],
)
def test_bad_options_end_in_code_2(capsys: Capture, tmp_path: Path, options: list[str], message: str) -> None:
    """Each names what is wrong with it."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps([ONE]))
    assert main(["profiles", "explain", str(path), *options]) == 2
    assert message in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(capsys: Capture, tmp_path: Path) -> None:
    """As is a folder in its place."""
    assert main(["profiles", "explain", str(tmp_path / "no.json")]) == 2
    assert "no.json: cannot be read: No such file or directory" in capsys.readouterr().err
    assert main(["profiles", "explain", str(tmp_path)]) == 2
    assert "cannot be read: Is a directory" in capsys.readouterr().err


def test_a_zone_is_that_of_the_times_and_of_local_schedules(capsys: Capture, tmp_path: Path) -> None:
    """A daily schedule at 20:00 local stays at 20:00 over the beginning of summer time."""
    local = {"useLocalTime": True, "startSchedule": "2026-03-01T20:00:00Z", "duration": 3600}
    night = new(1, "TxDefaultProfile", period(0, 6), schedule=local)
    night |= {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
    options = ("--at", "2026-03-28T18:00:00Z", "--for", "48h", "--zone", "Europe/Berlin")
    found = explained(capsys, tmp_path, [night], *options)
    assert [i["from"] for i in found["intervals"] if i["limit_a"][0] == 6] == [
        "2026-03-28T20:00:00+01:00",
        "2026-03-29T20:00:00+02:00",
    ]
    assert main(["profiles", "explain", str(tmp_path / "p.json"), *options]) == 0
    out = capsys.readouterr().out
    assert "from 2026-03-28 19:00:00 Europe/Berlin" in out
    assert "03-29 20:00:00  03-29 21:00:00" in out


def test_the_times_of_a_log_count(capsys: Capture, tmp_path: Path) -> None:
    """What was sent after --at has not happened; what was cleared before it is gone."""
    sent = [
        ("2026-03-01T17:00:00Z", frame(on(0, old(1, "TxDefaultProfile", period(0, 6))))),
        ("2026-03-01T17:30:00Z", frame(on(0, old(2, "ChargePointMaxProfile", period(0, 20))))),
        ("2026-03-01T19:30:00Z", [2, "9", "ClearChargingProfile", {"id": 1}]),
    ]
    log = "\n".join(json.dumps({"time": at, "station": "A", "frame": one}) for at, one in sent)
    assert limits(explained(capsys, tmp_path, log)) == [("18:00", 6, [1])]
    assert limits(explained(capsys, tmp_path, log, "--at", "2026-03-01T20:00:00Z")) == [("20:00", 20, [2])]
    assert limits(explained(capsys, tmp_path, log, "--at", "2026-03-01T16:00:00Z")) == [("16:00", 32, ["hardware"])]


def test_evse_0_is_the_whole_station(capsys: Capture, tmp_path: Path) -> None:
    """Two outlets of 8 A, then as much as the maximum leaves; in the table, the picture and as data."""
    data = [
        on(0, old(1, "ChargePointMaxProfile", period(0, 40))),
        on(1, old(2, "TxDefaultProfile", period(0, 8), period(7200, 32), schedule={"startSchedule": AT})),
        on(2, old(3, "TxDefaultProfile", period(0, 8), period(7200, 32), schedule={"startSchedule": AT})),
    ]
    found = explained(capsys, tmp_path, data, "--evse", "0")
    assert found["evse"] == 0
    assert [(i["limit_a"], i["decided_by"][0] if i["decided_by"] == ["outlets"] else i["decided_by"][0]["id"])
            for i in found["intervals"]] == [([16] * 3, "outlets"), ([40] * 3, 1)]  # fmt: skip
    svg = tmp_path / "s.svg"
    assert main(["profiles", "explain", str(tmp_path / "p.json"), "--at", AT, "--evse", "0", "--svg", str(svg)]) == 0
    out = capsys.readouterr().out
    assert "the whole station (each outlet 3 phases of 230 V, 32 A)" in out
    assert "████············  its outlets: their total" in out
    assert "Limit of the station" in svg.read_text()

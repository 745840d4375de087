"""One CHAdeMO session as every kind of CAN log, and odd pieces of logs as people have them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise

from hilbench_emulators.chademo import Car, Charger, Session, SimplePack
from hilbench_emulators.chademo.models import CAR_ZE0, CHARGER_ZE0
from hilbench_emulators.chademo.plug import Available, Stop

Recorded = Sequence[tuple[float, int, bytes]]


@cache
def recorded() -> Recorded:
    """A V2X charger that takes its offer away for 5 s, and a stop after 30 s; times to the microsecond."""
    session = Session(Car(CAR_ZE0, SimplePack(soc_pct=56.0, max_a=14.0)), Charger(CHARGER_ZE0))
    session.at(17.575, "charger", Available(0.0))
    session.at(22.27, "charger", Available(15.0))
    session.at(30.0, "charger", Stop())
    session.run(60.0)
    begin = session.trace[0][0]
    return [(round(t - begin, 6), can_id, data) for t, can_id, data in session.recorded()]


def spaced(data: bytes) -> str:
    """Bytes in hex, parted."""
    return data.hex(" ")


def _deltas(frames: Recorded) -> list[float]:
    times = [frames[0][0], *(t for t, _id, _data in frames)]
    return [b - a for a, b in pairwise(times)]


def _lines(form: Callable[[float, int, bytes], str]) -> Callable[[Recorded], str]:
    return lambda frames: "".join(form(*frame) + "\n" for frame in frames)


def _iso(t: float) -> str:
    return datetime.fromtimestamp(1.75e9 + t, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _clock(t: float) -> str:
    whole = 86_395.0 + t  # past midnight within the session
    return datetime.fromtimestamp(whole % 86_400.0, UTC).strftime("%H:%M:%S.%f")


def _asc(base: int) -> Callable[[Recorded], str]:
    def write(frames: Recorded) -> str:
        number = "{:d}" if base == 10 else "{:X}"
        head = f"date Fri Jul 10 06:17:32.249 2015\nbase {'dec' if base == 10 else 'hex'}  timestamps absolute\n"
        rows = [
            f"   {t:.6f} 1  {number.format(can_id):15} Rx   d 8 {' '.join(number.format(b) for b in data)}"
            for t, can_id, data in frames
        ]
        return head + "internal events logged\nBegin Triggerblock\n" + "\n".join(rows) + "\nEnd TriggerBlock\n"

    return write


def _relative_asc(frames: Recorded) -> str:
    rows = [
        f" {delta:.6f} 1  {can_id:X}  Rx   d 8 {spaced(data)}  Length = 230000 BitCount = 117"
        for delta, (_t, can_id, data) in zip(_deltas(frames), frames, strict=True)
    ]
    return "base hex  timestamps relative\n" + "\n".join(rows)


def _delta_output(frames: Recorded) -> str:
    rows = [
        f" ({delta:010.6f})  can0  {can_id:03X}   [8]  {spaced(data).upper()}   '........'"
        for delta, (_t, can_id, data) in zip(_deltas(frames), frames, strict=True)
    ]
    return "\n".join(rows)


def _savvycan(frames: Recorded) -> str:
    head = "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
    wrong = {0x101: "true"}  # it calls some standard ids extended
    return head + "".join(
        f"{round(t * 1e6)},{i:08X},{wrong.get(i, 'false')},Rx,0,8,{','.join(f'{b:02X}' for b in data)},\n"
        for t, i, data in frames
    )


def _python_can_csv(frames: Recorded) -> str:
    return "timestamp,arbitration_id,extended,remote,error,dlc,data\n" + "".join(
        f"{1.75e9 + t:.6f},{hex(can_id)},0,0,0,8,{base64.b64encode(data).decode()}\n" for t, can_id, data in frames
    )


def _table(frames: Recorded) -> str:
    return '"Time (ms)";"Channel";"CAN ID";"DLC";"Data"\n' + "".join(
        f"{t * 1e3:.3f};1;0x{can_id:03X};8;{spaced(data)}\n" for t, can_id, data in frames
    )


def _trc_2(frames: Recorded) -> str:
    return ";$FILEVERSION=2.1\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n" + "".join(
        f"{number:7} {t * 1e3:13.3f} DT  1     {can_id:04X} Rx -  8    {spaced(data)}\n"
        for number, (t, can_id, data) in enumerate(frames)
    )


def _trc_1(frames: Recorded) -> str:
    return ";$FILEVERSION=1.1\n" + "".join(
        f"{number:6}) {t * 1e3:11.1f}  Rx         {can_id:04X}  8  {spaced(data)}\n"
        for number, (t, can_id, data) in enumerate(frames, 1)
    )


def _adapter_table(frames: Recorded) -> str:
    """A spreadsheet has cut the clock to tenths; the counter counts 0.1 ms."""
    head = "Index;System Time;Time Stamp;Channel;Direction;ID;Type;Format;Len;Data\n"
    return head + "".join(
        f"{n};{_clock(t)[3:10].replace('.', ',')};0x{4_000_000 + round(t * 1e4):X};ch1;In;{i:X};D;S;8;x| {spaced(d)} \n"
        for n, (t, i, d) in enumerate(frames)
    )


def _numbers(data: bytes, between: str = " ") -> str:
    return between.join(map(str, data))


FORMS: dict[str, Callable[[Recorded], str]] = {
    "candump log": _lines(lambda t, i, d: f"({1436509052 + t:.6f}) vcan0 {i:03X}#{d.hex().upper()}"),
    "candump log lower case": _lines(lambda t, i, d: f"({t:.6f}) can0 {i:03x}#{d.hex()} R"),
    "candump output": _lines(lambda t, i, d: f" ({1.75e9 + t:.6f})  can0  {i:03X}   [8]  {spaced(d)}"),
    "candump output with RX": _lines(lambda t, i, d: f" ({t:010.6f})  can0  RX - -  {i:03X}   [8]  {spaced(d)}"),
    "candump output with dates": _lines(lambda t, i, d: f" ({_iso(t)})  can0  {i:03X}   [8]  {spaced(d)}"),
    "candump output with differences": _delta_output,
    "ASC": _asc(16),
    "ASC in decimal": _asc(10),
    "ASC with differences": _relative_asc,
    "SavvyCAN": _savvycan,
    "python-can CSV": _python_can_csv,
    "CSV with semicolons": _table,
    "TRC 2.1": _trc_2,
    "TRC 1.1": _trc_1,
    "a serial monitor": _lines(
        lambda t, i, d: f"Rcvd msgID: 0x{i:03X}; {'; '.join(f'{b:02X}' for b in d)}  {_clock(t)}"
    ),
    "compact": _lines(lambda t, i, d: f"{t:.6f} {i:03x} {d.hex()}"),
    "words": _lines(lambda t, i, d: f"[{_iso(t)}] ID=0x{i:X} DLC=8 Data={spaced(d)}"),
    "an adapter's table": _adapter_table,
    "bytes unpadded in columns": _lines(lambda t, i, d: f"{t:.6f}\t{i:X}\t8\t" + "\t".join(f"{byte:X}" for byte in d)),
    "a counter from 0 ms": _lines(lambda t, i, d: f"I ({t * 1e3:.0f}) TWAI: ID 0x{i:03x} DLC 8: {spaced(d)}"),
    "a counter that is full after 60 s": _lines(
        lambda t, i, d: f"t{i:03X}8{d.hex()}{round((t + 50.0) * 1e3) % 60_000:04X}"
    ),
    "id and bytes in one word": _lines(lambda t, i, d: f"{_iso(t)} {i:03X}{d.hex().upper()}"),
    "JSON": _lines(lambda t, i, d: json.dumps({"timestamp": 1.75e9 + t, "id": i, "dlc": 8, "data": list(d)})),
    "JSON in hex": _lines(lambda t, i, d: json.dumps({"ts": t, "can_id": hex(i), "data": [f"{b:02x}" for b in d]})),
    "decimal figures": _lines(lambda t, i, d: f"{_iso(t)} ID: {i} DLC: 8 DATA: {_numbers(d)}"),
    "decimal figures in brackets": _lines(lambda t, i, d: f"{_iso(t)} Frame(id={i}, data=[{_numbers(d, ', ')}])"),
    "decimal figures in columns": lambda frames: (
        "time,id,len,b0,b1,b2,b3,b4,b5,b6,b7\n" + "".join(f"{t:.6f},{i},8,{_numbers(d, ',')}\n" for t, i, d in frames)
    ),
    "newest first": lambda frames: FORMS["candump log"](list(reversed(frames))),
}
"""How to write frames, by what writes so."""

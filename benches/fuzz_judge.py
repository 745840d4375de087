"""What a target must do with a frame: which answer, which error code, and when it may close its connection."""

from __future__ import annotations

import json

from websockets.exceptions import ConnectionClosed

ANSWER_LENGTH = 131_072
"""Longest answer to a frame: a schedule of 1024 periods, 600 variables; and no echo of what a peer made without end."""
ERROR_LENGTH = 4096
PARSER_DEPTH = 800
"""Above it, how deep is too deep for JSON depends on the depth of the caller's stack: refused unread is right too."""
NORMAL, GOING_AWAY, PROTOCOL_ERROR, POLICY = 1000, 1001, 1002, 1008
_COMMON = "NotImplemented NotSupported InternalError ProtocolError SecurityError PropertyConstraintViolation"
CODES = {*_COMMON.split(), "TypeConstraintViolation", "GenericError"}
CODES_16 = CODES | {"FormationViolation", "OccurenceConstraintViolation"}
CODES_2 = CODES | {"FormatViolation", "OccurrenceConstraintViolation", "RpcFrameworkError", "MessageTypeNotSupported"}
ALARMS = ("Traceback", "never retrieved", "never awaited", "Exception in callback", "station.failed")
"""What nothing that goes right prints."""


def expected(text: str, name: str) -> str:
    """The message id of the one answer that a frame must get, or nothing where the protocol has none for it."""
    try:
        frame = json.loads(text)
    except RecursionError:
        return "" if name == "2.1" and text.startswith("[6") else "-1"
    except ValueError:
        return "-1"
    if not isinstance(frame, list) or not frame or isinstance(frame[0], bool) or frame[0] is None:
        return "-1"
    silent: tuple[int, ...] = (3, 4, 5, 6) if name == "2.1" else (3, 4)
    if frame[0] in silent or (frame[0] != 2 and name == "1.6"):
        return ""
    known = len(frame) > 1 and isinstance(frame[1], str) and 0 < len(frame[1]) <= 36
    return str(frame[1]) if known else "-1"


def fault(text: str, name: str, answers: list[str]) -> str:
    """What is wrong with the answers to a frame; nothing if nothing is."""
    wanted = expected(text, name)
    if text.count("[") + text.count("{") > PARSER_DEPTH:
        unread = bool(answers) and answers[0].startswith('[4,"-1",')
        silent = text.startswith("[6") and name != "2.0.1"
        wanted = "-1" if unread else "" if silent else "x"
    if len(answers) != bool(wanted):
        return f"{len(answers)} answers {[one[:200] for one in answers]}"
    for answer in answers:
        kind, unique_id, *rest = json.loads(answer)
        if unique_id != wanted or kind not in (3, 4) or len(answer) > (ANSWER_LENGTH if kind == 3 else ERROR_LENGTH):
            return f"answer of {len(answer)}: {answer[:80]}"
        if kind == 4 and rest[0] not in (CODES_16 if name == "1.6" else CODES_2):
            return f"code {rest[0]}"
        if kind == 4 and rest[0] == "InternalError":
            return f"a handler failed: {answer[:200]}"
    return ""


def outcome(answers: list[str]) -> str:
    """What came of a frame, in a word."""
    if answers in ([], ["closed"]):
        return "too long" if answers else "ignored"
    frame = json.loads(answers[0])
    return "answered" if frame[0] == 3 else str(frame[2])


def closing_fault(closed: ConnectionClosed, *, restarting: bool, unanswered: bool, lied_to: bool) -> str:
    """What is wrong with a connection that the target has closed.

    It may go without a farewell when it is ``restarting`` (an emulated station loses its supply then) or its own calls
    stayed ``unanswered``. Where it was ``lied_to`` in answers to its own calls it may leave, and must say why.
    """
    if restarting or unanswered:
        return ""
    if closed.rcvd is None:
        return "closed without a close frame"
    if not lied_to:
        return f"closed for nothing: {closed.rcvd.code} {closed.rcvd.reason}"
    return "" if closed.rcvd.reason and closed.rcvd.code == POLICY else f"closed with {closed.rcvd.code} and no reason"


def alarms(log: str) -> list[str]:
    """Lines of a target's output that tell of an error that nobody handled."""
    return [line for line in log.splitlines() if any(word in line for word in ALARMS)]

"""What each RAPI command does to an emulated OpenEVSE, and what it answers. Source: ``rapi_proc.cpp`` (read-code).

Left out, and refused as by a build without them: Mennekes lock, boot lock, voltmeter, relay switches and diagnostics,
the button, the processor's id and the test commands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from hilbench_emulators import openevse_settings as s
from hilbench_emulators.openevse_core import OpenEvse
from hilbench_emulators.openevse_rapi import number

Answer = tuple[bool, str]
Handler = Callable[[OpenEvse, Sequence[str]], Answer]
REFUSED: Answer = (False, "")
DONE: Answer = (True, "")


def execute(board: OpenEvse, tokens: Sequence[str]) -> Answer:
    """Do a command: whether it is ``$OK``, and the values that it answers with. Only two letters of it count."""
    handler = HANDLERS.get(tokens[0][:2]) if tokens else None
    return REFUSED if handler is None else handler(board, tokens[1:])


def _byte(text: str) -> int:
    return number(text) & 0xFF


# -- functions


def _enable(board: OpenEvse, _args: Sequence[str]) -> Answer:
    board.enable()
    return DONE


def _disable(board: OpenEvse, _args: Sequence[str]) -> Answer:
    board.disable()
    return DONE


def _sleep(board: OpenEvse, _args: Sequence[str]) -> Answer:
    board.sleep()
    return DONE


def _feature(board: OpenEvse, args: Sequence[str]) -> Answer:
    if len(args) != 2 or args[1][:1] not in ("0", "1"):
        return REFUSED
    if args[0][:1] == "E":
        board.echo = args[1][0] == "1" or "echo-sticks" in board.settings.quirks
        return DONE
    flag = s.CHECKS.get(args[0][:1])
    if flag is None:
        return REFUSED
    board.memory.flags = board.memory.flags & ~flag | (0 if args[1][0] == "1" else flag)
    return DONE


def _clear_counters(board: OpenEvse, _args: Sequence[str]) -> Answer:
    memory = board.memory
    memory.gfi_trips = memory.ground_trips = memory.relay_trips = memory.total_wh = 0
    return DONE


def _print(board: OpenEvse, args: Sequence[str]) -> Answer:
    if len(args) < 3:
        return REFUSED
    board.display = " ".join(args[2:])
    return DONE


def _one_argument(_board: OpenEvse, args: Sequence[str]) -> Answer:
    """Display and its colours, which nobody sees."""
    return DONE if len(args) == 1 else REFUSED


def _panic(board: OpenEvse, args: Sequence[str]) -> Answer:
    if len(args) != 1 or number(args[0]) <= 0:
        return REFUSED
    board.memory.panic_tenths = number(args[0])
    return DONE


# -- settings


def _set_current(board: OpenEvse, args: Sequence[str]) -> Answer:
    if len(args) not in (1, 2):
        return REFUSED
    amps = _byte(args[0])
    if len(args) == 2 and args[1][:1] == "M":
        return _set_hardware_max(board, amps)
    return board.set_capacity(amps, save=len(args) == 1), str(board.capacity_a)


def _set_hardware_max(board: OpenEvse, amps: int) -> Answer:
    """Once and for all."""
    allowed = s.LEAST_A <= amps <= s.MOST_L2_A and not board.memory.hardware_max_a
    if allowed:
        board.memory.hardware_max_a = amps
        if board.capacity_a > amps:
            board.set_capacity(amps)
    return allowed, str(board.memory.hardware_max_a or s.MOST_L2_A)


def _set_level(board: OpenEvse, args: Sequence[str]) -> Answer:
    level = args[0][:1] if len(args) == 1 else ""
    if level not in ("1", "2", "A") or not level:
        return REFUSED
    if level != "A":
        board.set_level(int(level))
    flags = board.memory.flags & ~s.AUTO_LEVEL_OFF
    board.memory.flags = flags | (0 if level == "A" else s.AUTO_LEVEL_OFF)
    return DONE


def _set_clock(board: OpenEvse, args: Sequence[str]) -> Answer:
    if len(args) != 6:
        return REFUSED
    year, *rest = (_byte(text) for text in args)
    try:
        board.rtc.set(board.t, datetime(2000 + year % 100, *rest))  # type: ignore[arg-type]  # five numbers
    except ValueError:
        return DONE  # the chip takes any figures; here they set no clock
    return DONE


def _set_timer(board: OpenEvse, args: Sequence[str]) -> Answer:
    if len(args) != 4:
        return REFUSED
    start_h, start_min, stop_h, stop_min = (_byte(text) for text in args)
    board.memory.timer = (start_h, start_min, stop_h, stop_min)
    board.vflags = board.vflags & ~s.TIMER_ON | (s.TIMER_ON if any(board.memory.timer) else 0)
    return DONE


def _limit_time(board: OpenEvse, args: Sequence[str]) -> Answer:
    if len(args) != 1 or board.state not in (s.B, s.C):
        return REFUSED
    board.limit_time(_byte(args[0]))
    return DONE


def _limit_energy(board: OpenEvse, args: Sequence[str]) -> Answer:
    if len(args) != 1 or board.state not in (s.B, s.C):
        return REFUSED
    board.limit_energy(_byte(args[0]))
    return DONE


def _lock(board: OpenEvse, args: Sequence[str]) -> Answer:
    if len(args) != 1:
        return REFUSED
    board.lock(_byte(args[0]) != 0)
    return DONE


def _set_ammeter(board: OpenEvse, args: Sequence[str]) -> Answer:
    if len(args) != 2:
        return REFUSED
    board.memory.ammeter = (number(args[0]), number(args[1]))
    return DONE


def _set_total(board: OpenEvse, args: Sequence[str]) -> Answer:
    board.memory.total_wh = number(args[0]) & 0xFFFFFFFF if args else 0
    return DONE


def _set_voltage(board: OpenEvse, args: Sequence[str]) -> Answer:
    if len(args) != 1:
        return REFUSED
    board.voltage_v = (number(args[0]) & 0xFFFFFFFF) / 1000.0
    return DONE


def _heartbeat(board: OpenEvse, args: Sequence[str]) -> Answer:
    match len(args):
        case 0:
            done = board.supervision.pulse(board.t)
        case 1:
            done = board.acknowledge(_byte(args[0]))
        case 2:
            board.supervise(number(args[0]) & 0xFFFF, _byte(args[1]))
            done = True
        case _:
            done = False
    return done, board.supervision.told()


# -- questions


def _connected(board: OpenEvse) -> str:
    return "2" if board.pilot.level == "N12" else str(int(bool(board.vflags & s.CONNECTED)))


def _capacities(board: OpenEvse) -> str:
    return f"{s.LEAST_A} {board.hardware_max_a} {board.capacity_a} {board.max_configured_a}"


def _current_and_voltage(board: OpenEvse) -> str:
    return f"{round(board.current_a * 1000)} {round(board.voltage_v * 1000)}"


def _state(board: OpenEvse) -> str:
    return f"{board.state:02x} {int(board.elapsed_s)} {board.pilot_state:02x} {board.vflags:04x}"


def _trips(board: OpenEvse) -> str:
    memory = board.memory
    return f"{memory.gfi_trips:x} {memory.ground_trips:x} {memory.relay_trips:x}"


def _energy(board: OpenEvse) -> str:
    taken_ws = board.session.energy_ws
    return f"{int(taken_ws)} {board.memory.total_wh + int(taken_ws / 3600)}"


ASKED: dict[str, Callable[[OpenEvse], str]] = {
    "G0": _connected,
    "G3": lambda board: str(board.session.quarters),
    "G4": lambda board: str(int(bool(board.vflags & s.AUTH_LOCKED))),
    "GA": lambda board: " ".join(map(str, board.memory.ammeter)),
    "GC": _capacities,
    "GD": lambda board: " ".join(map(str, board.memory.timer)),
    "GE": lambda board: f"{board.capacity_a} {board.memory.flags:04x}",
    "GF": _trips,
    "GG": _current_and_voltage,
    "GH": lambda board: str(board.session.kwh),
    "GO": lambda board: str(board.memory.panic_tenths),
    "GP": lambda board: " ".join(map(str, board.temperatures)),
    "GS": _state,
    "GT": lambda board: board.rtc.told(board.t),
    "GU": _energy,
    "GV": lambda board: f"{board.settings.firmware} {board.settings.protocol}",
    "GY": lambda board: board.supervision.told(),
}
DONE_BY: dict[str, Handler] = {
    "F0": _one_argument,
    "FB": _one_argument,
    "FC": _clear_counters,
    "FD": _disable,
    "FE": _enable,
    "FF": _feature,
    "FO": _panic,
    "FP": _print,
    "FS": _sleep,
    "S0": _one_argument,
    "S1": _set_clock,
    "S3": _limit_time,
    "S4": _lock,
    "SA": _set_ammeter,
    "SC": _set_current,
    "SH": _limit_energy,
    "SK": _set_total,
    "SL": _set_level,
    "ST": _set_timer,
    "SV": _set_voltage,
    "SY": _heartbeat,
}


def _asking(question: Callable[[OpenEvse], str]) -> Handler:
    return lambda board, _args: (True, question(board))


HANDLERS: dict[str, Handler] = {**DONE_BY, **{name: _asking(question) for name, question in ASKED.items()}}
"""``FR`` is not among them: nothing answers it."""

"""Keysight InfiniiVision 1000 X to 6000 X over SCPI.

Scaling as published for the ten fields of ``:WAV:PRE?`` (read-code); byte order, unsigned words, ``POIN:MODE RAW`` and
bit 3 of the operation condition register: recalled. ``:SINGle`` and not ``:DIGitize``, which would hold every query
until the trigger comes.
"""

from __future__ import annotations

from collections.abc import Sequence

from hilbench.drivers.scope_dialect import Dialect, Plan, Scale, Setup, ten_fields
from hilbench.drivers.scpi_reply import number, whole

_RUNNING = 1 << 3


class Keysight(Dialect):
    """InfiniiVision: words of 16 bits, least significant byte first, 10 divisions across."""

    family = "Keysight InfiniiVision"
    divisions_x = 10
    depths = (1_000, 10_000, 100_000, 500_000, 1_000_000, 2_000_000, 4_000_000)
    dtype = "<u2"
    middle_code = 32_768.0
    codes = 65_536
    step = 256
    state, force, halt = ":OPER:COND?", ":TRIG:FORC", ":STOP"

    @staticmethod
    def speaks(maker: str, model: str) -> bool:
        """See :class:`Dialect`."""
        maker_is = maker.startswith(("KEYSIGHT", "AGILENT"))
        return maker_is and model.startswith(("DSO", "DSO-X", "MSO", "MSO-X", "EDU"))

    def set_up(self, setup: Setup, plan: Plan) -> list[str]:
        """See :class:`Dialect`. Offset is the voltage in the middle of the screen."""
        commands = [":ACQ:TYPE NORM", f":TIM:RANG {plan.time_per_division_s * self.divisions_x:.6g}"]
        commands += [":TIM:REF CENT", ":TIM:POS 0"]
        for number_, channel in setup.channels.items():
            commands += [
                f":CHAN{number_}:DISP 1",
                f":CHAN{number_}:COUP DC",
                f":CHAN{number_}:PROB {channel.probe:g}",
                f":CHAN{number_}:RANG {channel.high_v - channel.low_v:.6g}",
                f":CHAN{number_}:OFFS {channel.centre_v:.6g}",
            ]
        if setup.trigger:
            slope = "POS" if setup.trigger.rising else "NEG"
            commands += [":TRIG:MODE EDGE", f":TRIG:EDGE:SOUR CHAN{setup.trigger.channel}", f":TRIG:EDGE:SLOP {slope}"]
            commands += [f":TRIG:EDGE:LEV {setup.trigger.level_v:.6g}"]
        return commands

    def screen(self, channel: int) -> list[str]:
        """See :class:`Dialect`."""
        return [f":CHAN{channel}:RANG?", f":CHAN{channel}:OFFS?"]

    def screen_of(self, answers: Sequence[str]) -> tuple[float, float]:
        """See :class:`Dialect`."""
        return number(answers[0]) / self.divisions_y, number(answers[1])

    def arm(self) -> list[str]:
        """See :class:`Dialect`."""
        return [":SING"]

    def is_done(self, answer: str) -> bool:
        """See :class:`Dialect`."""
        return not whole(answer) & _RUNNING

    def describe(self, channel: int, plan: Plan) -> tuple[list[str], list[str]]:
        """See :class:`Dialect`."""
        choose = [f":WAV:SOUR CHAN{channel}", ":WAV:FORM WORD", ":WAV:BYT LSBF", ":WAV:UNS 1", ":WAV:POIN:MODE RAW"]
        return [*choose, f":WAV:POIN {plan.points}"], [":WAV:PRE?"]

    def scale_of(self, answers: Sequence[str]) -> Scale:
        """V = (code - yref) * yinc + yorig; t = (i - xref) * xinc + xorig."""
        fields = ten_fields(answers[0])
        points = whole(fields[2])
        dt_s, x_origin, x_reference, gain_v, origin_v, reference = (number(field) for field in fields[4:10])
        return Scale(points, dt_s, x_origin - x_reference * dt_s, gain_v, origin_v - reference * gain_v)

    def fetch(self, channel: int, start: int, count: int) -> list[str]:
        """See :class:`Dialect`; the record comes in one piece."""
        return [":WAV:DATA?"]

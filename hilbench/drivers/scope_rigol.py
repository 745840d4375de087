"""Rigol DS1000Z and DHO800/900 over SCPI.

Scaling and the 250 000 bytes per read as in the packages ``ds1054z`` and ``qcodes`` (read-code); memory depths and
trigger commands from the DS1000Z programming guide (recalled). Of the DHO only the 16-bit transfer differs (recalled).
"""

from __future__ import annotations

from collections.abc import Sequence

from hilbench.drivers.scope_dialect import Dialect, Plan, Scale, Setup, ten_fields
from hilbench.drivers.scpi_reply import number, whole, word


class Rigol(Dialect):
    """DS1000Z / MSO1000Z: 8 bits, 12 divisions across, codes around 127."""

    family = "Rigol DS1000Z"
    divisions_x = 12
    depths: tuple[int, ...] = (12_000, 120_000, 1_200_000, 12_000_000, 24_000_000)
    most_per_read = 250_000
    dtype = "u1"
    middle_code = 127.0
    form = "BYTE"
    state, force, halt = ":TRIG:STAT?", ":TFOR", ":STOP"

    @staticmethod
    def speaks(maker: str, model: str) -> bool:
        """See :class:`Dialect`."""
        return "RIGOL" in maker and model.startswith(("DS1", "MSO1"))

    def set_up(self, setup: Setup, plan: Plan) -> list[str]:
        """See :class:`Dialect`; the memory can be set only while it runs. Offset moves the trace up."""
        commands = [":RUN"]
        for number_, channel in setup.channels.items():
            scale_v = (channel.high_v - channel.low_v) / self.divisions_y
            commands += [
                f":CHAN{number_}:DISP ON",
                f":CHAN{number_}:COUP DC",
                f":CHAN{number_}:PROB {channel.probe:g}",
                f":CHAN{number_}:SCAL {scale_v:.6g}",
                f":CHAN{number_}:OFFS {-channel.centre_v:.6g}",
            ]
        commands += [f":TIM:MAIN:SCAL {plan.time_per_division_s:.6g}", ":TIM:MAIN:OFFS 0", f":ACQ:MDEP {plan.points}"]
        if setup.trigger:
            slope = "POS" if setup.trigger.rising else "NEG"
            commands += [":TRIG:MODE EDGE", f":TRIG:EDG:SOUR CHAN{setup.trigger.channel}", f":TRIG:EDG:SLOP {slope}"]
            commands += [f":TRIG:EDG:LEV {setup.trigger.level_v:.6g}"]
        return commands

    def screen(self, channel: int) -> list[str]:
        """See :class:`Dialect`."""
        return [f":CHAN{channel}:SCAL?", f":CHAN{channel}:OFFS?"]

    def screen_of(self, answers: Sequence[str]) -> tuple[float, float]:
        """See :class:`Dialect`."""
        return number(answers[0]), -number(answers[1])

    def arm(self) -> list[str]:
        """See :class:`Dialect`."""
        return [":SING"]

    def is_done(self, answer: str) -> bool:
        """See :class:`Dialect`: TD, WAIT, RUN, AUTO or STOP."""
        return word(answer) == "STOP"

    def describe(self, channel: int, plan: Plan) -> tuple[list[str], list[str]]:
        """See :class:`Dialect`; the whole memory can be read only when it is stopped."""
        choose = [":STOP", f":WAV:SOUR CHAN{channel}", ":WAV:MODE RAW", f":WAV:FORM {self.form}"]
        return [*choose, ":WAV:STAR 1", f":WAV:STOP {min(plan.points, self.most_per_read)}"], [
            ":WAV:PRE?",
            ":ACQ:MDEP?",
        ]

    def scale_of(self, answers: Sequence[str]) -> Scale:
        """V = (code - yorig - yref) * yinc; t = i * xinc + xorig. The preamble's points are those of one read."""
        fields = ten_fields(answers[0])
        dt_s, t0_s, gain_v, origin, reference = (number(fields[i]) for i in (4, 5, 7, 8, 9))
        return Scale(whole(answers[1]), dt_s, t0_s, gain_v, -(origin + reference) * gain_v)

    def fetch(self, channel: int, start: int, count: int) -> list[str]:
        """See :class:`Dialect`; Rigol counts from 1."""
        return [f":WAV:STAR {start + 1}", f":WAV:STOP {start + count}", ":WAV:DATA?"]


class RigolDho(Rigol):
    """DHO800 / DHO900: 12 bits in words of 16, least significant byte first, 10 divisions across."""

    family = "Rigol DHO"
    divisions_x = 10
    depths: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 25_000_000)
    most_per_read = 1 << 20
    dtype = "<u2"
    middle_code = 32_768.0
    codes = 65_536
    step = 16
    form = "WORD"

    @staticmethod
    def speaks(maker: str, model: str) -> bool:
        """See :class:`Dialect`."""
        return "RIGOL" in maker and model.startswith("DHO")

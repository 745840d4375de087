"""Siglent SDS1000X-E over SCPI of the older kind.

V = code * VDIV / 25 - OFST as in ``pymeasure`` and ``siglent-oscilloscope`` (read-code; ``qcodes-contrib`` has the
other sign, so the middle of the screen is checked against the offset that was set). ``CHDR OFF``, memory sizes,
``SAST?`` and t = i / SARA - 7 * TDIV: recalled. Newer firmware (X HD) speaks another dialect that is not covered.
"""

from __future__ import annotations

from collections.abc import Sequence

from hilbench.drivers.scope_dialect import Dialect, Plan, Scale, Setup
from hilbench.drivers.scpi_reply import ReplyError, number, whole, word

_CODES_PER_DIVISION = 25.0


class Siglent(Dialect):
    """SDS1000X-E and its older relatives: signed bytes, 14 divisions across."""

    family = "Siglent SDS"
    divisions_x = 14
    depths = (7_000, 70_000, 700_000, 7_000_000)
    most_per_read = 7_000_000
    state, force, halt = "SAST?", "FRTR", "STOP"

    @staticmethod
    def speaks(maker: str, model: str) -> bool:
        """See :class:`Dialect`."""
        return "SIGLENT" in maker and model.startswith("SDS")

    def set_up(self, setup: Setup, plan: Plan) -> list[str]:
        """See :class:`Dialect`."""
        commands = ["CHDR OFF", "TRMD AUTO"]
        for number_, channel in setup.channels.items():
            scale_v = (channel.high_v - channel.low_v) / self.divisions_y
            commands += [
                f"C{number_}:TRA ON",
                f"C{number_}:CPL D1M",
                f"C{number_}:ATTN {channel.probe:g}",
                f"C{number_}:VDIV {scale_v:.6g}V",
                f"C{number_}:OFST {-channel.centre_v:.6g}V",
            ]
        commands += [f"TDIV {plan.time_per_division_s:.6g}S", "TRDL 0S", f"MSIZ {_size(plan.points)}"]
        if setup.trigger:
            source = f"C{setup.trigger.channel}"
            commands += [f"TRSE EDGE,SR,{source},HT,OFF", f"{source}:TRLV {setup.trigger.level_v:.6g}V"]
            commands += [f"{source}:TRSL {'POS' if setup.trigger.rising else 'NEG'}"]
        return commands

    def screen(self, channel: int) -> list[str]:
        """See :class:`Dialect`."""
        return [f"C{channel}:VDIV?", f"C{channel}:OFST?"]

    def screen_of(self, answers: Sequence[str]) -> tuple[float, float]:
        """See :class:`Dialect`."""
        return number(answers[0]), -number(answers[1])

    def arm(self) -> list[str]:
        """See :class:`Dialect`."""
        return ["TRMD SINGLE", "ARM"]

    def is_done(self, answer: str) -> bool:
        """See :class:`Dialect`: Stop, Ready, Arm, Trig'd or Auto."""
        return word(answer) == "STOP"

    def describe(self, channel: int, plan: Plan) -> tuple[list[str], list[str]]:
        """See :class:`Dialect`."""
        return [], [f"SANU? C{channel}", "SARA?", "TDIV?", *self.screen(channel)]

    def scale_of(self, answers: Sequence[str]) -> Scale:
        """See :class:`Dialect`."""
        rate_hz, time_per_division_s, division_v, offset_v = (number(answer) for answer in answers[1:])
        if not rate_hz > 0.0:
            raise ReplyError(f"{rate_hz:g} samples/s")
        left_s = -self.divisions_x / 2 * time_per_division_s
        return Scale(whole(answers[0]), 1.0 / rate_hz, left_s, division_v / _CODES_PER_DIVISION, -offset_v)

    def fetch(self, channel: int, start: int, count: int) -> list[str]:
        """See :class:`Dialect`."""
        return [f"WFSU SP,1,NP,{count},FP,{start}", f"C{channel}:WF? DAT2"]


def _size(points: int) -> str:
    return f"{points // 1_000_000}M" if points >= 1_000_000 else f"{points // 1_000}K"

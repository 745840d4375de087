"""Tektronix TBS1000/2000 and MSO over SCPI.

V = (code - YOFF) * YMULT + YZERO as in ``qcodes`` (read-code); record lengths, ``HEADER OFF``, ``ALLEV?`` behind
``*ESR?`` and the trigger commands: recalled.
"""

from __future__ import annotations

from collections.abc import Sequence

from hilbench.drivers.scope_dialect import Dialect, Plan, Scale, Setup
from hilbench.drivers.scpi_reply import number, whole, word


class Tektronix(Dialect):
    """TBS and MSO: signed bytes, 10 divisions across; the trace is moved by a position in divisions."""

    family = "Tektronix TBS/MSO"
    divisions_x = 10
    depths = (1_000, 2_000, 10_000, 20_000, 100_000, 1_000_000, 2_000_000, 5_000_000, 10_000_000)
    error_query = "*ESR?;ALLEV?"
    state, force, halt = "ACQ:STATE?", "TRIG FORC", "ACQ:STATE OFF"

    @staticmethod
    def speaks(maker: str, model: str) -> bool:
        """See :class:`Dialect`."""
        return "TEKTRONIX" in maker and model.startswith(("TBS", "MSO", "DPO", "MDO"))

    def set_up(self, setup: Setup, plan: Plan) -> list[str]:
        """See :class:`Dialect`."""
        commands = ["HEADER OFF", f"HOR:SCA {plan.time_per_division_s:.6g}", f"HOR:RECO {plan.points}"]
        for number_, channel in setup.channels.items():
            scale_v = (channel.high_v - channel.low_v) / self.divisions_y
            commands += [
                f"SEL:CH{number_} ON",
                f"CH{number_}:COUP DC",
                f"CH{number_}:PRO:GAIN {1.0 / channel.probe:g}",
                f"CH{number_}:SCA {scale_v:.6g}",
                f"CH{number_}:POS {-channel.centre_v / scale_v:.6g}",
            ]
        if setup.trigger:
            slope = "RIS" if setup.trigger.rising else "FALL"
            commands += ["TRIG:A:TYP EDG", f"TRIG:A:EDGE:SOU CH{setup.trigger.channel}", f"TRIG:A:EDGE:SLO {slope}"]
            commands += [f"TRIG:A:LEV {setup.trigger.level_v:.6g}"]
        return commands

    def screen(self, channel: int) -> list[str]:
        """See :class:`Dialect`."""
        return [f"CH{channel}:SCA?", f"CH{channel}:POS?"]

    def screen_of(self, answers: Sequence[str]) -> tuple[float, float]:
        """See :class:`Dialect`."""
        scale_v, position = (number(answer) for answer in answers)
        return scale_v, -position * scale_v

    def arm(self) -> list[str]:
        """See :class:`Dialect`."""
        return ["ACQ:STOPA SEQ", "ACQ:STATE ON"]

    def is_done(self, answer: str) -> bool:
        """See :class:`Dialect`."""
        return word(answer) in ("0", "OFF", "STOP")

    def describe(self, channel: int, plan: Plan) -> tuple[list[str], list[str]]:
        """See :class:`Dialect`."""
        choose = [f"DAT:SOU CH{channel}", "DAT:ENC RIB", "DAT:WID 1", "DAT:START 1", f"DAT:STOP {plan.points}"]
        return choose, [f"WFMO:{name}?" for name in ("NR_P", "XIN", "XZE", "YMU", "YOF", "YZE")]

    def scale_of(self, answers: Sequence[str]) -> Scale:
        """See :class:`Dialect`."""
        dt_s, t0_s, gain_v, reference, zero_v = (number(answer) for answer in answers[1:])
        return Scale(whole(answers[0]), dt_s, t0_s, gain_v, zero_v - reference * gain_v)

    def fetch(self, channel: int, start: int, count: int) -> list[str]:
        """See :class:`Dialect`; Tektronix counts from 1."""
        return [f"DAT:START {start + 1}", f"DAT:STOP {start + count}", "CURVE?"]

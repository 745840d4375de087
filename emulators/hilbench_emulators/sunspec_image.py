"""A SunSpec device as registers: the marker, the common model, one meter model, and the end of the list.

Layout of models 1 and 201 to 204: SunSpec's definitions (sunspec/models json/model_1.json, model_201.json; read-code).
"""

from __future__ import annotations

import math

from hilbench.meter_maps import MapBlock, MapRegister, MeterMap
from hilbench.site import Service
from hilbench_emulators.register_map import Encoder

BASE = 40_000
_COMMON, _COMMON_LENGTH = BASE + 2, 66
_METER = _COMMON + 2 + _COMMON_LENGTH
_METER_LENGTH = 105
_END = _METER + 2 + _METER_LENGTH
MODEL_BY_WIRING = {"single-phase": 201, "split-phase": 202, "three-phase": 203}
DELTA = 204
_NONE = 0x8000
"""An int16 that is not implemented, or that has no value now."""
_FACTORS = {"A": 6, "V": 15, "Hz": 17, "W": 22, "VA": 27, "var": 32, "kWh": 54}
"""Offset of the scale factor in the model by the unit of what it scales."""
_FIRST = {"current": (3, "A"), "power": (19, "W"), "apparent_power": (24, "VA"), "reactive_power": (29, "var")}
_TOTALS = {
    "total_current": (2, "A"), "frequency": (16, "Hz"), "total_power": (18, "W"), "total_apparent_power": (23, "VA"),
    "total_reactive_power": (28, "var"),
}  # fmt: skip
_ENERGIES = {"export_energy": 38, "import_energy": 46}
_INTEGERS = (*range(2, 5 + 1), *range(7, 15), 16, *range(18, 22), *range(23, 27), *range(28, 32), *range(33, 38))


def sunspec_encoder(service: Service, rating_a: float, *, delta: bool = False) -> Encoder:
    """The registers of a meter at a node that is rated ``rating_a``, with the model of the service's wiring.

    Scale factors are as small as three times the rating allows. With ``delta`` the service is three-phase without
    neutral: its voltages are from line to line.
    """
    model = DELTA if delta else MODEL_BY_WIRING[service.wiring]
    exponents = _exponents(service, rating_a)
    table = {
        "model": f"sunspec-{model}",
        "title": f"SunSpec model {model}",
        "source": "SunSpec model definitions",
        "confidence": "read-code",
        "function": 3,
        "most_registers": 125,
        "undefined": {"int16": _NONE - 0x1_0000, "uint32": 0},
        "block": (MapBlock(address=BASE, count=_END + 2 - BASE),),
        "register": tuple(_registers(service, exponents, delta)),
    }
    meter = MeterMap.model_validate(table)
    return Encoder(meter, _fixed(model, exponents))


def _exponents(service: Service, rating_a: float) -> dict[str, int]:
    """Powers of ten by unit, so that three times the rating fits into an int16."""
    amps = 3.0 * rating_a
    watts = amps * service.line_to_neutral_v * len(service.lines)
    fits = {unit: math.ceil(math.log10(most / 32_767)) for unit, most in (("A", amps), ("W", watts))}
    return {"A": fits["A"], "V": -1, "Hz": -2, "W": fits["W"], "VA": fits["W"], "var": fits["W"], "kWh": 0}


def _registers(service: Service, exponents: dict[str, int], delta: bool) -> list[MapRegister]:
    def register(name: str, offset: int, unit: str, share: float = 1.0) -> MapRegister:
        return MapRegister(
            name=name, address=_METER + offset, type="int16", scale=share * 10.0 ** exponents[unit], unit=unit
        )

    found = [register(name, offset, unit) for name, (offset, unit) in _TOTALS.items()]
    for k in range(1, len(service.lines) + 1):
        found += [register(f"{name}_l{k}", first + k - 1, unit) for name, (first, unit) in _FIRST.items()]
        # from line to line a voltage is the square root of 3 times as large
        found.append(register(f"voltage_l{k}", (12 if delta else 8) + k - 1, "V", 1 / math.sqrt(3.0) if delta else 1.0))
    found += [
        MapRegister(name=name, address=_METER + offset, type="uint32", scale=0.001, unit="kWh")
        for name, offset in _ENERGIES.items()
    ]
    return found


def _fixed(model: int, exponents: dict[str, int]) -> dict[int, int]:
    """Everything that is no measured value."""
    words = {BASE: 0x5375, BASE + 1: 0x6E53, _COMMON: 1, _COMMON + 1: _COMMON_LENGTH, _END: 0xFFFF, _END + 1: 0}
    words |= {_METER + offset: _NONE for offset in (*_INTEGERS, 71, 104)}
    words |= {_METER: model, _METER + 1: _METER_LENGTH}
    words |= {_METER + offset: exponents[unit] & 0xFFFF for unit, offset in _FACTORS.items()}
    for offset, length, text in ((2, 16, "hilbench"), (18, 16, f"emulated meter {model}"), (50, 16, "1")):
        data = text.encode().ljust(2 * length, b"\0")
        words |= {_COMMON + offset + k: data[2 * k] << 8 | data[2 * k + 1] for k in range(length)}
    return words | {_COMMON + 66: 1, _COMMON + 67: _NONE}

"""Our transformer beside the package transformer-thermal-model, on its own example and on a day of office load.

    python -m benches.transformer_peer --peer PYTHON

PYTHON is that of an environment with ``pip install transformer-thermal-model``. Fails when a hot spot differs by more
than 0.01 K, or the ageing of paper by more than a thousandth. The example is that of its class
DistributionTransformer: 5200 W and 800 W of losses, 900 A, 10 K more for standing inside.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np

from hilbench.metrics.transformer import Transformer, heated

WORST_K, WORST_AGEING = 0.01, 1e-3
LOAD_W, NO_LOAD_W, RATED_A, INSIDE_K = 5200.0, 800.0, 900.0, 10.0
PEER = """
import json, sys
import pandas as pd
from transformer_thermal_model.aging import days_aged
from transformer_thermal_model.model import Model
from transformer_thermal_model.schemas import InputProfile, UserTransformerSpecifications
from transformer_thermal_model.transformer import DistributionTransformer, PaperInsulationType
asked = json.load(sys.stdin)
times = pd.to_datetime("2024-01-01") + pd.to_timedelta([0, *pd.Series(asked["minutes"]).cumsum()], unit="min")
load = [asked["load_a"][0], *asked["load_a"]]
ambient = [asked["ambient_c"][0], *asked["ambient_c"]]
profile = InputProfile.create(datetime_index=times, load_profile=load, ambient_temperature_profile=ambient)
specs = UserTransformerSpecifications(**asked["specs"])
found = Model(temperature_profile=profile, transformer=DistributionTransformer(user_specs=specs)).run()
aged = days_aged(found.hot_spot_temp_profile, PaperInsulationType.NORMAL)
print(json.dumps({"hot": list(found.hot_spot_temp_profile), "days": aged}))
"""


def cases() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Minutes, load [x of rated] and ambient [C] of each."""
    rng, hours = np.random.default_rng(1), np.arange(24.0)
    office = 0.4 + 0.5 * np.exp(-(((hours - 13.0) / 4.0) ** 2))
    weather = 15.0 + 8.0 * np.sin((hours - 9.0) / 24.0 * 2.0 * np.pi)
    return {
        "rated load for a week": (np.full(168, 60.0), np.ones(168), np.full(168, 20.0)),
        "150 % for an hour": (np.ones(300), np.r_[np.full(60, 1.5), np.full(240, 0.8)], np.full(300, 20.0)),
        "a day of an office": (np.full(24, 60.0), office, weather),
        "random": (rng.uniform(1.0, 30.0, 500).round(1), rng.uniform(0.0, 1.6, 500), rng.uniform(-10.0, 35.0, 500)),
    }


def asked_of(python: str, minutes: np.ndarray, load: np.ndarray, ambient: np.ndarray) -> tuple[np.ndarray, float]:
    """Hot spots [C] that the package finds, and how much older [s] it says that the paper is."""
    specs = {
        "load_loss": LOAD_W,
        "no_load_loss": NO_LOAD_W,
        "nom_load_sec_side": RATED_A,
        "amb_temp_surcharge": INSIDE_K,
    }
    asked = {"minutes": minutes.tolist(), "load_a": (RATED_A * load).tolist(), "ambient_c": ambient.tolist()}
    done = subprocess.run(
        [python, "-c", PEER], input=json.dumps({**asked, "specs": specs}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{python}: {done.stderr.strip().splitlines()[-1]}")
    found = json.loads(done.stdout)
    return np.array(found["hot"]), 86_400.0 * float(found["days"])


def main() -> int:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", metavar="PYTHON", required=True)
    python = parser.parse_args().peer
    kind = replace(Transformer(), top_oil_rise_k=60.0 + INSIDE_K, loss_ratio=LOAD_W / NO_LOAD_W)
    kept = True
    for name, (minutes, load, ambient) in cases().items():
        ours = heated(minutes, load, ambient, kind)
        hot, aged_s = asked_of(python, minutes, load, ambient)
        apart, older = float(np.abs(ours.hot_spot_c - hot).max()), abs(ours.aged_s / aged_s - 1.0)
        kept &= apart <= WORST_K and older <= WORST_AGEING
        print(
            f"{name:22s} hot spot up to {ours.hot_spot_c.max():6.1f} C, at most {apart:.2g} K apart; "
            f"paper aged {ours.aged_s / 3600.0:.2f} h, {100.0 * older:.2g} % apart"
        )
    print("within 0.01 K and 0.1 % of ageing" if kept else "NOT within 0.01 K and 0.1 % of ageing")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())

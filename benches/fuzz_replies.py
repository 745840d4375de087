"""What the bench answers to the calls of a target: mostly the truth, and hostile nonsense for the rest."""

from __future__ import annotations

import json
import random
from typing import Any

from benches.fuzz_frames import DATES, JUNK, payload, replaced
from hilbench import clock

LIE_SHARE = 0.1
SILENCE_SHARE = 0.003
INTERVALS = [0, -5, 1, 300, 2**31 - 1, 2**63]


def now() -> str:
    """Now, as OCPP writes it."""
    return clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Replies:
    """Texts of answers for a version; ``lied`` and ``silent`` count what was not honest."""

    def __init__(self, version: str, seed: int) -> None:
        self._version = version
        self._rng = random.Random(f"replies {seed} {version}")
        self.hostile = True
        self.lied = self.silent = 0
        self._transactions = 0

    def honest(self, action: str) -> dict[str, Any]:
        """What a good peer answers."""
        accepted = {"status": "Accepted"}
        told: dict[str, Any] = {
            "BootNotification": {"currentTime": now(), "interval": 300, "status": "Accepted"},
            "Heartbeat": {"currentTime": now()},
            "Authorize": {"idTagInfo" if self._version == "1.6" else "idTokenInfo": accepted},
            "TransactionEvent": {},
            "StopTransaction": {},
            "SetVariables": {
                "setVariableResult": [
                    {"attributeStatus": "Accepted", "component": {"name": "x"}, "variable": {"name": "x"}}
                ]
            },
        }
        if action == "StartTransaction":
            self._transactions += 1
            return {"transactionId": self._transactions, "idTagInfo": accepted}
        return dict(told[action]) if action in told else dict(payload(self._version, action, "call_result"))

    def to(self, unique_id: str, action: str) -> list[str]:
        """The frames to send in answer to a call; none, now and then."""
        chance = self._rng.random()
        if not self.hostile or chance > LIE_SHARE:
            return [json.dumps([3, unique_id, self.honest(action)])]
        if chance < SILENCE_SHARE:
            self.silent += 1
            return []
        self.lied += 1
        return self._lies(unique_id, action)

    def _lies(self, unique_id: str, action: str) -> list[str]:
        rng, truth = self._rng, self.honest(action)
        way = rng.randrange(5)
        if way == 0:
            return [json.dumps([3, unique_id, rng.choice(JUNK)])]
        if way == 1:
            return [json.dumps([4, unique_id, rng.choice(["InternalError", "Nonsense", ""]), "", {}])]
        if way == 2 and truth:
            told = json.loads(replaced(rng, json.dumps([truth])))
            self.silent += not told  # what has no payload is no answer
            return [json.dumps([3, unique_id, *told])]
        if way == 3 and "currentTime" in truth:
            odd = {"currentTime": rng.choice(DATES)}
            return [
                json.dumps(
                    [3, unique_id, truth | odd | ({"interval": rng.choice(INTERVALS)} if len(truth) > 1 else {})]
                )
            ]
        return [json.dumps([3, unique_id, truth])] * 2

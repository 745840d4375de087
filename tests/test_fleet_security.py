"""``hilbench station`` before a central system of security profiles 1 to 3, over real sockets and TLS."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hilbench.certificates import Authority, Pair
from hilbench.cli import main
from hilbench.controller.csms import Csms
from hilbench.controller.runtime import speak
from hilbench.controller.settings import ControllerSettings
from hilbench.ocppj import VERSIONS
from tests.central import Heard
from tests.live import beside, free_ports

Capture = pytest.CaptureFixture[str]
PASSWORD = "correct horse 42"


@dataclass
class Pki:
    """Where the certificates of one CA are, and one of another CA."""

    ca: Path
    server: Pair
    client: Pair
    stranger: Pair


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A CA with a server and the station CP1, and a CA that nobody trusts."""
    authority = Authority(tmp_path_factory.mktemp("pki"))
    other = Authority(tmp_path_factory.mktemp("other"), "other-ca")
    return Pki(authority.pair.certificate, authority.server(), authority.client("CP1"), other.client("CP1"))


@contextmanager
def controller(pki: Pki, profile: int) -> Iterator[str]:
    """A central system in a thread of its own that demands ``profile``; yields its address."""
    port = free_ports(1)[0]
    files = {"certificate": pki.server.certificate, "key": pki.server.key} if profile >= 2 else {}
    files |= {"client_ca": pki.ca} if profile == 3 else {}
    demands = ControllerSettings(security_profile=profile, **files)

    @asynccontextmanager
    async def serving() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            csms = Csms(demands, {"CP1": "CP1"}, lambda _role: 8.0, Heard(), speak, passwords={"CP1": PASSWORD})
            await csms.serve("127.0.0.1", port, stack)
            yield

    with beside(serving):
        yield f"{'wss' if profile >= 2 else 'ws'}://localhost:{port}/ocpp"


def options(pki: Pki, profile: int, *, password: str = PASSWORD, client: Pair | None = None) -> list[str]:
    """What the command line says for a profile."""
    found = ["--security-profile", str(profile)]
    found += ["--password", password] if profile in (1, 2) else []
    found += ["--ca", str(pki.ca)] if profile >= 2 else []
    own = client or pki.client
    return found + (["--certificate", str(own.certificate), "--key", str(own.key)] if profile == 3 else [])


@pytest.mark.parametrize("ocpp", VERSIONS)
@pytest.mark.parametrize("profile", [1, 2, 3])
def test_a_station_with_what_its_profile_demands_is_accepted(
    pki: Pki, capsys: Capture, tmp_path: Path, profile: int, ocpp: str
) -> None:
    """In each profile and version it boots and gets the controller's limit."""
    script = tmp_path / "s.txt"
    script.write_text("1 quit\n")
    with controller(pki, profile) as url:
        code = main(["station", url, "--ocpp", ocpp, *options(pki, profile), "--script", str(script), "--json"])
    assert code == 0
    report = json.loads(capsys.readouterr().out)[0]
    assert (report["accepted"], report["limit_a"]) == (True, 8.0)


def refused(pki: Pki, capsys: Capture, profile: int, arguments: list[str]) -> str:
    """Why a station with ``arguments`` was never accepted; the exit code is 1."""
    with controller(pki, profile) as url:
        assert main(["station", url, *arguments, "--for", "3"]) == 1
    return capsys.readouterr().out


@pytest.mark.parametrize("profile", [1, 2])
def test_a_wrong_password_is_told_and_ends_in_code_1(pki: Pki, capsys: Capture, profile: int) -> None:
    """The report has the controller's words, and not the password."""
    told = refused(pki, capsys, profile, options(pki, profile, password="guess-work"))
    assert "never accepted: HTTP 401 Unauthorized: user and password are needed, or are wrong" in told
    assert "guess-work" not in told


def test_a_password_comes_from_the_environment_too(
    pki: Pki, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HILBENCH_STATION_PASSWORD keeps it off the command line."""
    monkeypatch.setenv("HILBENCH_STATION_PASSWORD", PASSWORD)
    script = tmp_path / "s.txt"
    script.write_text("1 quit\n")
    with controller(pki, 1) as url:
        assert main(["station", url, "--security-profile", "1", "--script", str(script)]) == 0
    assert PASSWORD not in "".join(capsys.readouterr())


def test_a_server_that_is_not_trusted_is_refused(pki: Pki, capsys: Capture) -> None:
    """Without --ca the machine's own CAs decide, and none of them knows this server."""
    told = refused(pki, capsys, 2, ["--security-profile", "2", "--password", PASSWORD])
    assert "never accepted: TLS: certificate verify failed" in told


def test_a_client_certificate_of_another_ca_is_refused(pki: Pki, capsys: Capture) -> None:
    """TLS ends before any message, and the report says what that may mean."""
    assert "never accepted: TLS: " in refused(pki, capsys, 3, options(pki, 3, client=pki.stranger))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ws://h", "--security-profile", "1"], "--security-profile 1 needs --password"),
        (["wss://h", "--security-profile", "3"], "needs --certificate and --key"),
        (["ws://h", "--security-profile", "2", "--password", "x"], "needs a wss:// address"),
        (["wss://h", "--security-profile", "1", "--password", "x"], "is without TLS"),
        (["ws://h", "--password", "x"], "--password is for --security-profile 1 and 2"),
        (["wss://h", "--ca", "/no/where.pem"], "/no/where.pem' does not exist"),
        (["wss://h", "--security-profile", "4"], "--security-profile"),
    ],
)
def test_what_does_not_go_together_ends_in_code_2(capsys: Capture, arguments: list[str], message: str) -> None:
    """Nothing is started, and what is missing is named."""
    assert main(["station", *arguments]) == 2
    assert message in capsys.readouterr().err

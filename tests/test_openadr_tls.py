"""A VTN behind a CA of its own: reached with its file, and not without; a client certificate where it asks for one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError

from hilbench import clock
from hilbench.certificates import Authority, Pair
from hilbench.controller.signals.port import OpenAdrSettings, Signals
from hilbench.errors import InputError
from hilbench.ocppj import server_context
from hilbench_emulators.grid.vtn import Vtn
from tests.openadr_samples import FEEDER_CAP


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A CA that no machine knows."""
    (tmp_path / "secret").write_text("sesame\n")
    return Authority(tmp_path)


def polled(folder: Path, served: Pair, asks_for: Authority | None = None, **files: Path) -> tuple[bool, list[str]]:
    """Whether the port reaches a VTN with that certificate within moments, and what it says of it."""

    async def main() -> tuple[bool, list[str]]:
        client_ca = None if asks_for is None else asks_for.pair.certificate
        vtn = Vtn(tls=server_context(served.certificate, served.key, client_ca))
        vtn.store.clients = {"ven": "sesame"}
        await vtn.up()
        vtn.publish(FEEDER_CAP)
        url = vtn.url.replace("127.0.0.1", "localhost")
        settings = OpenAdrSettings(
            full_kw=50.0, url=url, client_id="ven", client_secret_file=folder / "secret", retry_s=0.2, **files
        )
        signals, notes, reached = Signals(settings, lambda _limit_kw: None), list[str](), asyncio.Event()

        def heard(note: str) -> None:
            notes.append(note)
            reached.set()

        signals.ven._on_note = heard
        running = asyncio.create_task(signals.run())
        asked = asyncio.create_task(_until_asked(vtn, reached))
        await asyncio.wait([asked, running], timeout=20.0, return_when="FIRST_COMPLETED")
        for task in (running, asked):
            task.cancel()
        await asyncio.gather(running, asked, return_exceptions=True)
        await vtn.down()
        return bool(vtn.asked), notes

    return clock.run(main(), "real")


async def _until_asked(vtn: Vtn, told: asyncio.Event) -> None:
    while not vtn.asked and not told.is_set():
        await asyncio.sleep(0.02)


def test_a_vtn_of_a_private_ca_is_reached_with_its_file(tmp_path: Path, authority: Authority) -> None:
    """Its certificate is checked against that CA."""
    assert polled(tmp_path, authority.server(), ca_file=authority.pair.certificate)[0]


def test_without_the_file_it_is_not_spoken_to(tmp_path: Path, authority: Authority) -> None:
    """No secret goes to a server that the machine does not trust."""
    reached, notes = polled(tmp_path, authority.server())
    assert not reached
    assert "certificate verify failed" in notes[0]


@pytest.mark.parametrize("fault", ["expired", "wrong_name", "wrong_ca", "self_signed"])
def test_a_certificate_that_is_not_right_is_refused(tmp_path: Path, authority: Authority, fault: str) -> None:
    """The file trusts one CA, and nothing else."""
    served = authority.faulty(fault, "localhost", server=True)
    reached, notes = polled(tmp_path, served, ca_file=authority.pair.certificate)
    assert not reached
    assert "certificate verify failed" in notes[0]


def test_a_vtn_that_asks_for_a_certificate_gets_the_one_of_the_settings(tmp_path: Path, authority: Authority) -> None:
    """With it the events come, without it nothing."""
    own, ca = authority.client("ven"), authority.pair.certificate
    shown = {"certificate": own.certificate, "key": own.key}
    assert polled(tmp_path, authority.server(), authority, ca_file=ca, **shown)[0]
    assert not polled(tmp_path, authority.server(), authority, ca_file=ca)[0]


@pytest.mark.usefixtures("authority")
def test_files_that_are_none_are_told_before_anything_is_asked(tmp_path: Path) -> None:
    """With their names."""
    (empty := tmp_path / "empty.pem").write_text("")
    settings = OpenAdrSettings(
        full_kw=50.0, url="https://vtn", client_id="ven", client_secret_file=tmp_path / "secret", ca_file=empty
    )
    with pytest.raises(InputError, match=r"empty\.pem cannot be used"):
        Signals(settings, lambda _limit_kw: None)


@pytest.mark.parametrize(
    ("files", "url", "said"),
    [
        ({"certificate": Path("own.pem")}, "https://vtn", "a certificate goes with its key"),
        ({"key": Path("own.key")}, "https://vtn", "a certificate goes with its key"),
        ({"ca_file": Path("ca.pem")}, "http://vtn", "are for https"),
    ],
)
def test_files_that_do_not_fit_are_told(files: dict[str, Path], url: str, said: str) -> None:
    """By the settings, when they are read."""
    with pytest.raises(ValidationError, match=said):
        OpenAdrSettings(full_kw=50.0, url=url, client_id="ven", client_secret_file=Path("secret"), **files)

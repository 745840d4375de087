"""Passwords of a rig: in files of their own, warned of in the rig, and masked in run folders."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from hilbench.cli import main
from hilbench.errors import InputError
from hilbench.evidence.masking import MASK, WITHHELD, masked, masked_rig
from hilbench.reference import reference_controller
from hilbench.rig import load_rig
from hilbench.rig_lint import lint
from tests.test_security import rig_file

PASSWORD = "not for the record"


def test_a_password_may_have_a_file_of_its_own(tmp_path: Path) -> None:
    """The file beside the rig is read without its line end, and no lint is due; a literal password is warned of."""
    (tmp_path / "p.txt").write_text(f"{PASSWORD}\n")
    keys = 'security_profile = 1\npassword_file = "p.txt"'
    rig = load_rig(str(rig_file(tmp_path, keys, "security_profile = 1")))
    assert rig.stations[0].secret == PASSWORD
    assert reference_controller(rig) is not None
    assert not [one for one in lint(rig) if "password" in one.what]
    keys = f'security_profile = 1\npassword = "{PASSWORD}"'
    literal = load_rig(str(rig_file(tmp_path, keys, "security_profile = 1")))
    assert [one.location for one in lint(literal) if "password" in one.what] == [("station", 0, "password")]


@pytest.mark.parametrize(
    ("content", "more", "what"),
    [
        ("", "", "holds no password"),
        ("two\nlines", "", "holds no password"),
        ("x" * 65, "", "holds no password"),
        ("good", '\npassword = "p"', "a password beside its file"),
    ],
)
def test_a_password_file_that_is_no_use_is_told(content: str, more: str, what: str, tmp_path: Path) -> None:
    """Empty, of several lines, too long, or doubled: an error of the rig."""
    (tmp_path / "p.txt").write_text(content)
    keys = f'security_profile = 1\npassword_file = "p.txt"{more}'
    with pytest.raises(InputError, match=what):
        load_rig(str(rig_file(tmp_path, keys, "security_profile = 1")))


@pytest.mark.parametrize(
    "text",
    [
        f'password = "{PASSWORD}"',
        f"[[station]]\n'password'  =\t'{PASSWORD}' # and more",
        f'station = [{{ role = "A", password = "{PASSWORD}" }}, {{ password = "{PASSWORD}" }}]',
        f'station_defaults.password = """{PASSWORD}"""',
        f'password = "{PASSWORD} \\" quoted"',
    ],
)
def test_every_way_to_write_a_password_is_masked(text: str) -> None:
    """The copy is TOML as before with the mask in its place, and says so in one more line at its end."""
    hidden = masked_rig(f"{text}\n")
    assert "record" not in hidden
    assert MASK in str(tomllib.loads(hidden))
    assert len(hidden.splitlines()) == len(text.splitlines()) + 1


def test_what_cannot_be_masked_is_not_kept() -> None:
    """A key in escapes: the copy is withheld; a rig without passwords stays as it is."""
    assert masked_rig(f'"pass\\u0077ord" = "{PASSWORD}"\n') == WITHHELD
    assert masked_rig("# password = none\nrole = 1\n") == "# password = none\nrole = 1\n"
    assert masked({"a": [{"password": "x"}, {"password": ""}]}) == {"a": [{"password": MASK}, {"password": ""}]}


def test_a_run_folder_holds_no_password_and_its_rig_runs(tmp_path: Path) -> None:
    """No file of the record outside of the frames' own has the word; the masked copy is a rig that loads."""
    keys = f'security_profile = 1\npassword = "{PASSWORD}"'
    rig = rig_file(tmp_path, keys, "security_profile = 1")
    out = tmp_path / "runs"
    assert main(["run", str(rig), "--only", "2.4", "--out", str(out)]) == 0
    files = [path for path in out.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
    run = next(out.iterdir())
    resolved = json.loads((run / "run.json").read_text())["rig"]["resolved"]
    assert resolved["station"][0]["password"] == MASK
    assert load_rig(str(run / "rig.toml")).stations[0].secret == MASK

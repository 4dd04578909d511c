"""scripts/setup leaves no unit enabled that a package brought, also where systemd does not run."""
import pathlib
import shutil
import subprocess

import pytest

UNITS = pathlib.Path(__file__).resolve().parents[3] / "scripts/lib/units.sh"


def sh(script):
    result = subprocess.run(["bash", "-euc", f". {UNITS}; {script}"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def enable(root, unit, target="multi-user.target"):
    file = root / "lib/systemd/system" / unit
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"[Service]\nExecStart=/bin/true\n[Install]\nWantedBy={target}\n")
    link = root / "etc/systemd/system" / f"{target}.wants" / unit
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(f"/lib/systemd/system/{unit}")


@pytest.mark.parametrize("with_systemctl", [True, False])
def test_only_what_was_enabled_before_stays_enabled(tmp_path, with_systemctl):
    if with_systemctl and not shutil.which("systemctl"):
        pytest.skip("no systemctl")
    enable(tmp_path, "ssh.service")
    before = "\n".join(sh(f"enabled_units {tmp_path}"))
    assert before == "ssh.service"
    enable(tmp_path, "nginx.service")
    enable(tmp_path, "podman-auto-update.timer", "timers.target")
    missing = "" if with_systemctl else "systemctl() { return 1; }; "
    sh(f"{missing}disable_units_but {tmp_path} '{before}'")
    assert sh(f"enabled_units {tmp_path}") == ["ssh.service"]


def test_a_machine_without_units_has_none(tmp_path):
    assert sh(f"enabled_units {tmp_path}") == []
    sh(f"disable_units_but {tmp_path} ''")

"""This machine once more, booted by systemd: a layer over its root that is forgotten, in namespaces of
its own. For what only a whole system shows: packages, units, their sandbox."""
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from support.cgroups import cgroup2_root
from support.process import child_of
from support.waiting import eventually

# Two steps: with the network of this machine, to complete it; then without, as its first process.
SCRIPT = """\
set -e
if [ "$2" = complete ]; then
  mount -t tmpfs tmpfs "$1"
  cd "$1"
  mkdir upper work root
  mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
  mount -t tmpfs -o mode=755 dev root/dev
  for name in null zero full random urandom tty; do
    touch root/dev/$name
    mount --bind /dev/$name root/dev/$name
  done
  mkdir root/dev/pts root/dev/shm
  mount -t proc proc root/proc
  chroot root apt-get install -y --no-install-recommends systemd
  umount root/proc
  : >root/etc/machine-id
  echo complete
  exec unshare --mount --pid --uts --ipc --net --cgroup --fork bash "$0" "$1" boot
fi
cd "$1"
mount -t proc proc root/proc
mount -t sysfs sysfs root/sys
mount -t cgroup2 cgroup2 root/sys/fs/cgroup
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts root/dev/pts
ln -s pts/ptmx root/dev/ptmx
mount -t tmpfs run root/run
mount -t tmpfs tmp root/tmp
ip link set lo up
cd root
mkdir .old
pivot_root . .old
umount -l .old
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
  /lib/systemd/systemd --unit=basic.target --log-target=console
"""


class Machine:
    """Runs for a block. Its loopback is its own, and it has no other network."""

    def __init__(self, folder):
        for tool in ("unshare", "nsenter", "apt-get"):
            if shutil.which(tool) is None:
                pytest.skip(f"no {tool}")
        script = folder / "boot.sh"
        script.write_text(SCRIPT)
        layer = folder / "layer"
        layer.mkdir()
        self._log = folder / "boot.log"
        self._cgroup = cgroup2_root() / f"exemplar-agent-{folder.name}"
        self._cgroup.mkdir()
        with self._log.open("wb") as log:
            self._outer = subprocess.Popen(
                ["bash", "-c", f"echo $$ >{self._cgroup}/cgroup.procs && exec unshare --mount "
                 f"--propagation private bash {script} {layer} complete"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._first = None
        try:
            eventually(self._is_up, within=120, what="the boot")
        except BaseException:
            self._end()
            raise

    def _is_up(self):
        said = self._log.read_text()
        if "complete\n" not in said:
            if self._outer.poll() is not None:
                pytest.skip(f"no second root, or no package systemd for it: {said[-500:]}")
            return False
        if self._outer.poll() is not None:
            raise RuntimeError(said)  # not to be waited for
        self._first = child_of(self._outer.pid)
        state = self.run("systemctl", "is-system-running").stdout.strip()
        assert state in ("running", "degraded"), f"systemd is {state}: {said}"
        return True

    def run(self, *command, within=60.0):
        """Runs a program there, as root in /srv, with a small environment."""
        return subprocess.run(
            ["nsenter", f"--target={self._first}", "--all", "--wdns=/srv", "env", "-i",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/srv",
             "DEBIAN_FRONTEND=noninteractive", *map(str, command)],
            capture_output=True, text=True, timeout=within, check=False, stdin=subprocess.DEVNULL)

    def must(self, *command, within=60.0):
        """What a program says that has to succeed."""
        result = self.run(*command, within=within)
        assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
        return result.stdout.strip()

    def beside(self, *command, **options):
        """A process of this machine's files that only has its network, still running."""
        return subprocess.Popen(["nsenter", f"--target={self._first}", "--net", *map(str, command)],
                                text=True, **options)

    def path(self, name):
        """A file of it, as this machine sees it."""
        return pathlib.Path(f"/proc/{self._first}/root") / name.lstrip("/")

    def processes_of(self, unit):
        """The numbers that this machine knows a unit's processes by."""
        folder, = self._cgroup.rglob(unit)
        return [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]

    def _end(self):
        if self._outer.poll() is None:
            os.kill(self._first or self._outer.pid, signal.SIGKILL)
        self._outer.wait(timeout=30)
        for folder in sorted(self._cgroup.rglob("**/"), reverse=True):
            folder.rmdir()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end()

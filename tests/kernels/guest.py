"""Other kernels than this machine's: Debian's own, booted in QEMU. The guest's root is this
machine's, shared read-only with a layer of memory over it, so that what was built here runs there.
Emulated, and so some ten times slower: it shows what is right, not what is fast."""
import fcntl
import functools
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

from support.tool_cache import TOOL_CACHE

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay")  # or built in

# The first program of the guest. What it is to run lies in /command.
INIT = """\
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
for module in $($b cat /modules/order); do $b insmod /modules/$module; done
$b mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 root /shared
$b mount -t tmpfs tmpfs /layer
$b mkdir /layer/upper /layer/work
$b mount -t overlay -o lowerdir=/shared,upperdir=/layer/upper,workdir=/layer/work overlay /guest
$b mount -t proc proc /guest/proc
$b mount -t sysfs sys /guest/sys
$b mount -t devtmpfs dev /guest/dev
$b mkdir -p /guest/dev/pts /guest/dev/shm
$b mount -t devpts devpts /guest/dev/pts
for place in dev/shm run; do $b mount -t tmpfs tmpfs /guest/$place; done
$b mount -t bpf bpf /guest/sys/fs/bpf
$b mount -t tracefs tracefs /guest/sys/kernel/tracing
$b mount -t cgroup2 cgroup2 /guest/sys/fs/cgroup
$b ip link set lo up
echo "guest: begin $($b uname -r)"
$b chroot /guest /bin/bash -c "$($b cat /command)" </dev/null 2>&1
echo "guest: end $?"
$b poweroff -f
"""


class Kernel:
    """The kernel that a Debian suite has now; fetched once into the cache, not installed."""

    def __init__(self, suite):
        for tool in ("qemu-system-x86_64", "busybox", "cpio", "depmod", "apt-get"):
            if shutil.which(tool) is None:
                pytest.skip(f"{tool} is not installed: scripts/setup --kernels")
        self.folder = TOOL_CACHE / "kernels" / suite
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.tree = self._fetch(suite)
        self.modules, = (self.tree / "lib/modules").iterdir()
        self.release = self.modules.name

    @property
    def image(self):
        """Since Linux 7 Debian has it beside the modules."""
        beside = self.modules / "vmlinuz"
        return beside if beside.exists() else self.tree / "boot" / f"vmlinuz-{self.release}"

    def _fetch(self, suite):
        (self.folder / "lists/partial").mkdir(parents=True, exist_ok=True)
        sources = self.folder / "sources.list"
        sources.write_text(f"deb http://deb.debian.org/debian {suite} main\n")
        options = ["-o", f"Dir::Etc::SourceList={sources}", "-o", "Dir::Etc::SourceParts=/dev/null",
                   "-o", f"Dir::State::Lists={self.folder}/lists", "-o", "APT::Sandbox::User=root"]

        def apt(tool, *arguments):
            return subprocess.run([tool, *options, *arguments], cwd=self.folder, text=True,
                                  capture_output=True, check=False, timeout=600)

        def depends(package, kind):
            text = apt("apt-cache", "depends", package).stdout
            return re.findall(rf"^  Depends: (linux-(?:{kind})-\d\S+)", text, re.MULTILINE)

        apt("apt-get", "update", "-qq")
        found = depends("linux-image-amd64", "image")
        if not found:
            pytest.skip(f"Debian's archive of {suite} cannot be reached")
        # Since Linux 7 that package is empty, and two more hold the kernel and its modules.
        packages = depends(found[0], "binary|modules") or found
        tree = self.folder / found[0]
        if not (tree / "fetched").exists():
            for old in self.folder.glob("linux-*"):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
            if apt("apt-get", "download", *packages).returncode != 0:
                pytest.skip(f"{' and '.join(packages)} of {suite} cannot be downloaded")
            for archive in self.folder.glob("linux-*.deb"):
                subprocess.run(["dpkg-deb", "-x", archive, tree], check=True)
                archive.unlink()
            if not (tree / "lib").exists():
                (tree / "lib").symlink_to("usr/lib")  # since Debian 13
            release, = (tree / "lib/modules").iterdir()
            subprocess.run(["depmod", "-b", tree, release.name], check=True)
            (tree / "fetched").touch()
        return tree

    @functools.cached_property
    def _module_files(self):
        """What to load, in order."""
        needs = dict(line.split(":", 1) for line in
                     (self.modules / "modules.dep").read_text().splitlines())
        order = []
        for name in MODULES:
            for path in (p for p in needs if re.search(rf"/{name}\.ko(\.xz)?$", p)):
                order += [p for p in [*reversed(needs[path].split()), path] if p not in order]
        return order

    def _initramfs(self, folder, command):
        root = folder / "initramfs"
        for name in ("bin", "proc", "dev", "shared", "layer", "guest", "modules"):
            (root / name).mkdir(parents=True)
        shutil.copy(shutil.which("busybox"), root / "bin/busybox")
        for path in self._module_files:
            name = pathlib.Path(path).name
            shutil.copy(self.modules / path, root / "modules" / name)
            if name.endswith(".xz"):
                subprocess.run(["xz", "-d", root / "modules" / name], check=True)
        (root / "modules/order").write_text(
            "\n".join(pathlib.Path(path).name.removesuffix(".xz") for path in self._module_files))
        (root / "command").write_text(
            f"export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME={pathlib.Path.home()}\n"
            "export TERM=dumb NO_COLOR=1\n"  # the console is a terminal
            f"cd {ROOT} && {command}\n")
        init = root / "init"
        init.write_text(INIT)
        init.chmod(0o755)
        names = subprocess.run(["find", "."], cwd=root, check=True, capture_output=True).stdout
        image = folder / "initramfs.cpio"
        with image.open("wb") as file:
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names,
                           stdout=file, check=True)
        return image

    def run(self, command, within, boot=""):
        """Boots (with more on the kernel's command line), runs the command in the project's root,
        ends. (status, what it printed)"""
        # One thread for both processors: with one each, the emulator may still run code that the
        # kernel has patched meanwhile, as it does to switch a tracepoint, and the kernel panics.
        with tempfile.TemporaryDirectory(prefix="exa-kernel-") as name:
            image = self._initramfs(pathlib.Path(name), command)
            console = pathlib.Path(name) / "console"
            with console.open("wb") as file:
                try:
                    subprocess.run(
                        ["qemu-system-x86_64", "-accel", "tcg,thread=single", "-cpu", "max",
                         "-smp", "2", "-m", "4096", "-display", "none", "-monitor", "none",
                         "-serial", "stdio", "-no-reboot", "-nic", "none",
                         "-kernel", self.image, "-initrd", image,
                         "-append", f"console=ttyS0 quiet panic=-1 {boot}",
                         "-fsdev",
                         "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
                         "-device", "virtio-9p-pci,fsdev=root,mount_tag=root"],
                        stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                        timeout=within, check=False)
                except subprocess.TimeoutExpired:
                    pass  # what it printed until then tells more
            text = console.read_bytes().decode(errors="replace").replace("\r\n", "\n")
        whole = re.search(rf"guest: begin {re.escape(self.release)}\n(.*)guest: end (\d+)\n", text,
                          re.DOTALL)
        assert whole, f"the guest did not come to its end within {within} s:\n{text[-8000:]}"
        return int(whole[2]), whole[1]

"""The life of the node: namespaces, programs by the ids they were started with, and the end."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

from . import files, images

TOOLS = ("kubernetes", "etcd", "containerd", "coredns", "pause")
# What containerd, CNI and the kubelet write at fixed places goes into memory of the node's own mount
# namespace, and is gone with it.
PRIVATE_FOLDERS = ("/run/containerd", "/run/netns", "/run/runc", "/run/xtables", "/var/lib/cni",
                   "/var/log/containers", "/var/lib/kubelet")


class ClusterError(Exception):
    """What an administrator should read."""


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as line:
            return line.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def start_time(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as line:
        return line.read().rsplit(")", 1)[1].split()[19]


def wait_until(condition, within, what):
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise ClusterError(f"{what} did not come within {within} s")
        time.sleep(0.1)


class Node:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.folder = pathlib.Path(os.environ.get("EXEMPLAR_AGENT_CLUSTER",
                                                  "/var/lib/exemplar-agent-cluster"))
        cache = os.environ.get("EXEMPLAR_AGENT_TOOLS") or \
            pathlib.Path.home() / ".cache" / "exemplar-agent-tools"
        self.bin = pathlib.Path(cache) / "bin"
        self.pids = self.folder / "pids"

    # What there must be.

    def missing(self):
        """Sentences that say what lacks; none if `up` can work."""
        lacks = []
        check = subprocess.run([self.root / "tests/tools/build", "--check", *TOOLS],
                               capture_output=True, text=True, check=False)
        if check.returncode != 0:
            lacks.append(check.stdout.strip() or check.stderr.strip())
        for program, package in (("runc", "runc"), ("iptables", "iptables"),
                                 ("openssl", "openssl"), ("nsenter", "util-linux")):
            if shutil.which(program) is None:
                lacks.append(f"no {program} (apt-get install {package})")
        if not pathlib.Path("/usr/lib/cni/ptp").exists():
            lacks.append("no CNI plugins (apt-get install containernetworking-plugins)")
        return lacks

    # Processes.

    def remember(self, name, pid):
        self.pids.mkdir(exist_ok=True)
        (self.pids / name).write_text(f"{pid} {start_time(pid)}\n")

    def pid_of(self, name):
        """None if it does not run; a pid used again by another process does not count."""
        try:
            pid, started = (self.pids / name).read_text().split()
            return int(pid) if alive(pid) and start_time(pid) == started else None
        except (OSError, ValueError):
            return None

    def running(self):
        names = sorted(path.name for path in self.pids.iterdir()) if self.pids.is_dir() else []
        return {name: pid for name in names if (pid := self.pid_of(name)) is not None}

    def entering(self):
        return ["nsenter", f"--net=/proc/{self.pid_of('namespaces')}/ns/net",
                f"--mount=/proc/{self.pid_of('namespaces')}/ns/mnt", f"--wd={os.getcwd()}", "--"]

    def environment(self):
        return {**os.environ, "KUBECONFIG": f"{self.folder}/admin.kubeconfig",
                "CONTAINERD_ADDRESS": f"{self.folder}/containerd.sock",
                "PATH": f"{self.bin}:{os.environ['PATH']}"}

    def run(self, command, **options):
        return subprocess.run(self.entering() + [str(word) for word in command],
                              env=self.environment(), check=options.pop("check", False), **options)

    def replace_by(self, command):
        """This process becomes that command, inside."""
        arguments = self.entering() + list(command)
        os.execvpe(arguments[0], arguments, self.environment())

    def start(self, name):
        if self.pid_of(name) is not None:
            return
        arguments = files.commands(self.folder).get(name)
        if arguments is None:
            raise ClusterError(f"no program of the node is called {name}")
        with open(self.folder / "logs" / f"{name}.log", "ab") as log:
            process = subprocess.Popen(self.entering() + [str(self.bin / name), *arguments],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env=self.environment(), start_new_session=True)
        self.remember(name, process.pid)

    def stop(self, name, within=20):
        pid = self.pid_of(name)
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        try:
            wait_until(lambda: not alive(pid), within, f"the end of {name}")
        except ClusterError:
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not alive(pid), within, f"the end of {name}")

    # The whole.

    def is_up(self):
        return self.pid_of("namespaces") is not None

    def need_up(self):
        if not self.is_up():
            raise ClusterError("the cluster is down: scripts/cluster up")

    def up(self):
        if self.is_up():
            if len(self.running()) == len(files.commands(self.folder)) + 1:
                print("cluster: is up")
                return
            raise ClusterError("only a part of the cluster runs: scripts/cluster down, then up")
        begin = time.monotonic()
        self.down(quiet=True)
        self.folder.mkdir(parents=True)
        for name in ("logs", "logs/pods", "kubelet"):
            (self.folder / name).mkdir()
        files.write_all(self.folder, images.PAUSE)
        self._make_cgroups()
        self._make_namespaces()
        for name in ("etcd", "containerd", "kube-apiserver"):
            self.start(name)
        self._wait("containerd", ["ctr", "version"])
        images.make_pause(self.bin / "pause", self.folder / "pause.tar")
        images.import_archive(self, self.folder / "pause.tar")
        self._wait("kube-apiserver", ["kubectl", "get", "--raw", "/readyz"])
        for name in files.commands(self.folder):
            self.start(name)
        self._wait("kubelet", ["kubectl", "wait", "--for=condition=Ready", "--timeout=1s",
                               f"node/{files.NODE}"])
        self._wait("kube-controller-manager", ["kubectl", "get", "serviceaccount", "default"])
        print(f"cluster: node {files.NODE} is ready after {time.monotonic() - begin:.0f} s")

    def _wait(self, name, command, within=120):
        def reached():
            if self.pid_of(name) is None:
                log = (self.folder / "logs" / f"{name}.log").read_text(errors="replace")
                raise ClusterError(f"{name} ended; the end of its log:\n{log[-2000:]}")
            return self.run(command, capture_output=True).returncode == 0
        wait_until(reached, within, f"an answer of {name}")

    def _make_namespaces(self):
        """One process holds both namespaces; nothing refers to them by a name that could stay."""
        script = ["set -e", "mount --make-rshared /"]
        made_folders = [folder for folder in PRIVATE_FOLDERS if not os.path.isdir(folder)]
        (self.folder / "made").write_text("\n".join(made_folders))
        for folder in PRIVATE_FOLDERS:
            os.makedirs(folder, exist_ok=True)
            script += [f"mount -t tmpfs none {folder}", f"mount --make-rshared {folder}"]
        script += [
            "sysctl -qw net.ipv4.ip_forward=1", "ip link set lo up",
            # Services' addresses are routed like any other: by a default route.
            "ip link add node0 type bridge", "ip link set node0 up",
            f"ip address add {files.NODE_IP}/24 dev node0",
            "ip route add default dev node0",
            f"touch {self.folder}/namespaces", "exec sleep infinity"]
        with open(self.folder / "logs" / "namespaces.log", "wb") as log:
            process = subprocess.Popen(
                ["unshare", "--net", "--mount", "--propagation", "private",
                 "sh", "-c", "\n".join(script)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.remember("namespaces", process.pid)

        def made():
            if process.poll() is not None:
                raise ClusterError("no namespaces: " +
                                   (self.folder / "logs/namespaces.log").read_text())
            return (self.folder / "namespaces").exists()
        wait_until(made, 10, "the namespaces of the node")

    @staticmethod
    def cgroups():
        mounts = pathlib.Path("/proc/self/mounts").read_text().splitlines()
        return [pathlib.Path(fields[1]) / files.CGROUP for fields in map(str.split, mounts)
                if fields[2] in ("cgroup", "cgroup2")]

    def _make_cgroups(self):
        for folder in self.cgroups():
            folder.mkdir(exist_ok=True)
            if folder.parent.name == "cpuset":  # a new one has no processor and no memory
                for name in ("cpuset.cpus", "cpuset.mems"):
                    (folder / name).write_text((folder.parent / name).read_text())

    def members(self):
        """Processes of the node's pods, by cgroup, and all that live in its mount namespace: the
        shims besides the programs."""
        found = set()
        for cgroup in self.cgroups():
            for path in cgroup.rglob("cgroup.procs") if cgroup.is_dir() else ():
                try:
                    found.update(map(int, path.read_text().split()))
                except OSError:
                    pass  # gone meanwhile
        holder = self.pid_of("namespaces")
        if holder is not None:
            # Never those of this machine itself, should the holder not have left them.
            wanted = {(kind, namespace) for kind in ("mnt", "net")
                      if (namespace := os.readlink(f"/proc/{holder}/ns/{kind}")) !=
                      os.readlink(f"/proc/self/ns/{kind}")}
            for path in pathlib.Path("/proc").glob("[0-9]*"):
                for kind, namespace in wanted:
                    try:
                        if os.readlink(path / "ns" / kind) == namespace:
                            found.add(int(path.name))
                    except OSError:
                        pass
            found.discard(holder)
        found.discard(os.getpid())
        return found

    def down(self, quiet=False):
        for name in ("kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy",
                     "coredns", "containerd", "kube-apiserver", "etcd"):
            self.stop(name)

        def ended():
            for pid in self.members():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not self.members()
        wait_until(ended, 30, "the end of the pods' processes")
        self.stop("namespaces")
        for cgroup in self.cgroups():
            self._remove_cgroup(cgroup)
        if (self.folder / "made").exists():
            for folder in (self.folder / "made").read_text().split():
                try:
                    os.rmdir(folder)
                except OSError:
                    pass  # somebody else's by now
        if self.folder.exists():
            shutil.rmtree(self.folder)
        if not quiet:
            print("cluster: is down")

    @staticmethod
    def _remove_cgroup(cgroup):
        """Bottom up; a cgroup whose last process just ended may take a moment."""
        if not cgroup.is_dir():
            return

        def removed():
            for path, _, _ in os.walk(cgroup, topdown=False):
                try:
                    os.rmdir(path)
                except OSError:
                    pass
            return not cgroup.exists()
        wait_until(removed, 10, f"the end of {cgroup}")

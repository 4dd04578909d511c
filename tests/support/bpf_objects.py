"""The BPF objects on this host by who holds them, as bpftool tells."""
import json
import subprocess


def held_by(kind, pids):
    """Ids of the objects (prog, map, link) that these processes hold."""
    return {entry["id"] for entry in _list(kind)
            if any(holder["pid"] in pids for holder in entry.get("pids", []))}


def existing(kind):
    return {entry["id"] for entry in _list(kind)}


def _list(kind):
    result = subprocess.run(["/usr/sbin/bpftool", "--json", kind, "list"], capture_output=True,
                            text=True, check=True)
    return json.loads(result.stdout)

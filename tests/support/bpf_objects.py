"""The BPF objects of this host: who holds them, as /proc tells, and which exist, as bpftool tells."""
import json
import pathlib
import subprocess

KINDS = ("prog", "map", "link")


def held_by(pids):
    """kind -> ids of the objects that these processes hold open."""
    held = {kind: set() for kind in KINDS}
    for pid in pids:
        try:
            entries = list(pathlib.Path(f"/proc/{pid}/fdinfo").iterdir())
        except FileNotFoundError:  # ended meanwhile, such as a reader of one file
            continue
        for entry in entries:
            try:
                text = entry.read_text()
            except FileNotFoundError:  # closed meanwhile, such as a file of /proc
                continue
            for line in text.splitlines():
                key, _, value = line.partition(":")
                if key.removesuffix("_id") in held and key.endswith("_id"):
                    held[key.removesuffix("_id")].add(int(value))
    return held


def existing(kind):
    result = subprocess.run(["/usr/sbin/bpftool", "--json", kind, "list"], capture_output=True,
                            text=True, check=True)
    return {entry["id"] for entry in json.loads(result.stdout)}

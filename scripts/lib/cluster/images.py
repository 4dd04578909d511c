"""Images for the node: from podman or docker, and the pause image, made of one static program."""
import io
import json
import hashlib
import shutil
import subprocess
import tarfile

PAUSE = "docker.io/library/exemplar-cluster-pause:1"


def full_name(name):
    """As Kubernetes completes a short name. podman calls images of its own localhost/NAME."""
    name = name.removeprefix("localhost/")
    if ":" not in name.rsplit("/", 1)[-1]:
        name += ":latest"
    first = name.split("/", 1)[0]
    if "/" not in name:
        return f"docker.io/library/{name}"
    return name if "." in first or ":" in first else f"docker.io/{name}"


def holder_of(name):
    """docker or podman, whichever has the image: a machine may have both."""
    there = [one for one in ("docker", "podman") if shutil.which(one)]
    if not there:
        raise FileNotFoundError("needs podman or docker to take images from")
    for one in there:
        if subprocess.run([one, "image", "inspect", name], check=False, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0:
            return one
    raise FileNotFoundError(f"{' and '.join(there)} know no image {name}: scripts/image makes it")


def load(node, name):
    """An image of this machine's podman or docker becomes one of the node."""
    builder = holder_of(name)
    # The image as it is tagged now, under the name that pods will say.
    subprocess.run([builder, "tag", name, full_name(name)], check=True)
    archive = node.folder / "load.tar"
    archive.unlink(missing_ok=True)
    try:
        arguments = ["--format", "docker-archive"] if builder == "podman" else []
        subprocess.run([builder, "save", *arguments, "-o", archive, full_name(name)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        import_archive(node, archive)
    finally:
        archive.unlink(missing_ok=True)
    print(f"cluster: {full_name(name)} is on the node")


def import_archive(node, archive):
    result = node.run(["ctr", "--namespace", "k8s.io", "images", "import", "--local", archive],
                      capture_output=True, text=True)
    if result.returncode != 0:
        raise OSError(f"the node refused {archive.name}: {result.stderr.strip()}")


def make_pause(program, archive):
    """A docker archive that holds nothing but /pause."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        entry = tarfile.TarInfo("pause")
        entry.size, entry.mode = program.stat().st_size, 0o755
        with program.open("rb") as content:
            tar.addfile(entry, content)
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    config = json.dumps({"architecture": "amd64", "os": "linux",
                         "config": {"Entrypoint": ["/pause"]},
                         "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [PAUSE],
                            "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(archive, "w") as tar:
        for name, content in (("config.json", config), ("layer.tar", layer.getvalue()),
                              ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))

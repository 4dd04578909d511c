"""The recorded logs in tests/corpus/recordings: NAME.log.gz is what the kernel side saw,
NAME.expected.json what the recording's clients and servers say they did, NAME.golden.json.gz what
a replay prints."""
import gzip
import json
import pathlib
from dataclasses import dataclass

from support.agent import ROOT, run_cli

FOLDER = ROOT / "tests/corpus/recordings"
NAMES = ("nginx", "python", "node")


@dataclass
class Recording:
    name: str

    @property
    def log_path(self):
        return FOLDER / f"{self.name}.log.gz"

    @property
    def golden_path(self):
        return FOLDER / f"{self.name}.golden.json.gz"

    @property
    def expected_path(self):
        return FOLDER / f"{self.name}.expected.json"

    def expected(self):
        """[{metric, program, attributes, count}]: exact counts."""
        return json.loads(self.expected_path.read_text())

    def golden(self):
        return gzip.decompress(self.golden_path.read_bytes()).decode()

    def unpack(self, folder):
        path = pathlib.Path(folder) / f"{self.name}.log"
        path.write_bytes(gzip.decompress(self.log_path.read_bytes()))
        return path

    def replay(self, folder, *arguments):
        return run_cli("replay", self.unpack(folder), "--output", "json", *arguments, within=120)


def pack(path, content):
    """Compresses without a time stamp, so that equal content makes equal files."""
    path.write_bytes(gzip.compress(content, 9, mtime=0))

"""Where the stack's files and the programs that judge them are."""
import os
import pathlib
import shutil

import pytest

# Fixtures of the end-to-end tests: the agent as a child, nginx.
from e2e.conftest import nginx, start_agent  # noqa: F401
from support.tool_cache import TOOL_CACHE

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/exemplar-agent-stack"
FILES = CHART / "files"
RULES = sorted((FILES / "prometheus/rules").glob("*.yaml"))
DASHBOARDS = sorted((FILES / "grafana/dashboards").glob("*.json"))
TOOLS = TOOL_CACHE / "bin"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to run the agent")


def tool(name):
    """A built tool; without it the test is skipped, and says how to have it."""
    path = TOOLS / name
    if not path.exists():
        pytest.skip(f"{name} is not built: tests/tools/build, or scripts/test --all")
    return path


def helm():
    found = shutil.which("helm") or next(
        (path for path in (TOOLS / "helm", TOOLS.parent / "helm") if path.exists()), None)
    if found is None:
        pytest.skip("no helm on the PATH, and none built: tests/tools/build helm")
    return found

"""Where tests/tools/build puts what it builds, and what tests keep beside it."""
import os
import pathlib

TOOL_CACHE = pathlib.Path(os.environ.get("EXEMPLAR_AGENT_TOOLS") or
                          pathlib.Path.home() / ".cache/exemplar-agent-tools")

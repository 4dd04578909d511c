"""A header that counts on what others include before it is found, before it is tracked too."""
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture(name="check")
def repository(tmp_path):
    """A repository with the script and one header; check(name, text) adds another one."""
    script = tmp_path / "scripts/lib/headers_alone.sh"
    script.parent.mkdir(parents=True)
    shutil.copy(ROOT / "scripts/lib/headers_alone.sh", script)
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent/old.h").write_text("#pragma once\nstd::string untouched();\n")
    git = ["git", "-C", tmp_path, "-c", "user.name=x", "-c", "user.email=x@x"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run(git + command, check=True)

    def check(name, text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        return subprocess.run([script, "--changed"], capture_output=True, text=True, check=False)
    return check


@pytest.mark.skipif(not shutil.which("g++"), reason="no compiler")
def test_a_new_header_compiles_alone(check):
    result = check("agent/new.h", "#pragma once\n#include <string>\nstd::string f();\n")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "headers: 1 compile alone\n"


@pytest.mark.skipif(not shutil.which("g++"), reason="no compiler")
def test_a_header_that_counts_on_others_is_named(check):
    result = check("agent/new.h", "#pragma once\nstd::string f();\n")
    assert result.returncode != 0
    assert "agent/new.h does not compile alone" in result.stderr


@pytest.mark.skipif(not shutil.which("clang"), reason="no compiler")
def test_a_header_of_programs_is_compiled_as_one(check):
    check("bpf/lib/kernel_types.bpf.h", "typedef unsigned __u32;\n")
    good = check("bpf/lib/new.bpf.h", "static inline __u32 exa_one(void) { return 1; }\n")
    assert good.returncode == 0, good.stderr
    bad = check("bpf/lib/new.bpf.h", "static inline __u64 exa_one(void) { return 1; }\n")
    assert bad.returncode != 0 and "bpf/lib/new.bpf.h does not compile alone" in bad.stderr

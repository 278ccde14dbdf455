"""A disk that fills up, shown by a limit on the size of files: the real command stops, and leaves nothing that looks whole."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.samples.generate import write_samples

P2C = Path(sys.executable).with_name("p2c")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The samples by form."""
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder / "csv", rows=150)
    write_samples(folder / "parquet", rows=150, form="parquet")
    return {form: folder / form for form in ("csv", "parquet")}


def p2c(samples: Path, runs: Path, limit: int | None) -> subprocess.CompletedProcess[str]:
    """``p2c run`` on the samples, with files of at most ``limit`` bytes."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [str(P2C), "run", "--project", str(samples / "p2c.toml"), "--runs", str(runs), "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limited)


@pytest.mark.parametrize(
    ("form", "limit", "step"),
    [("csv", 15_000, "landing contacts"), ("parquet", 6_000, "writing")],
    ids=["while landing", "while planning"],
)
def test_a_full_disk_stops_the_run_leaves_nothing_behind_and_the_same_command_goes_on(
    samples: dict[str, Path], tmp_path: Path, form: str, limit: int, step: str
) -> None:
    ended = p2c(samples[form], tmp_path / "runs", limit)
    assert ended.returncode == 3
    told = json.loads(ended.stdout)["error"]
    assert told["code"] == "stopped"
    assert told["message"].startswith(step)
    assert "the file grew over the size limit" in told["message"]
    assert "Traceback" not in ended.stderr
    assert not [path for path in (tmp_path / "runs").glob("**/*") if path.name != "loaded"]
    again = p2c(samples[form], tmp_path / "runs", None)
    assert again.returncode == 0, "the same command goes on once there is room"
    assert json.loads(again.stdout)["balanced"]

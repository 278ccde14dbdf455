"""A process of Python that answers each line of JSON with one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Self

from tests.scenes.places import ROOT


class Child:
    """The process, from outside. ``first`` is the line with which it says that it is ready."""

    def __init__(self, *words: str, environment: Mapping[str, str]) -> None:
        given = {**os.environ, "PYTHONWARNINGS": "ignore", **environment}
        self._name = words[0]
        self._process = subprocess.Popen(
            [sys.executable, "-m", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=given, cwd=ROOT,
        )  # fmt: skip
        self.first = self._read()

    def ask(self, order: Mapping[str, object]) -> str:
        """The answer to an order."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process {self._name} is gone")
        return line.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)
        if self._process.stdout is not None:
            self._process.stdout.close()

"""What a running program prints, read as it comes."""

from __future__ import annotations

import subprocess
import threading


class ProgramOutput:
    """Reads standard output, text, to its end in a thread of its own. Every wait has ``patience_s`` seconds."""

    def __init__(self, process: subprocess.Popen[str], patience_s: float) -> None:
        self._process = process
        self._patience_s = patience_s
        self.lines: list[str] = []
        self._grown = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def text(self) -> str:
        """Everything until now."""
        return "".join(self.lines)

    def wait_for(self, fragment: str) -> None:
        """Until a line holds the fragment; fails with what was printed instead."""
        with self._grown:
            found = self._grown.wait_for(lambda: any(fragment in line for line in self.lines), self._patience_s)
            assert found, self.text

    def join(self) -> None:
        """Until there is nothing more to read, because the program has ended."""
        self._reader.join(self._patience_s)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                with self._grown:
                    self.lines.append(line)
                    self._grown.notify_all()

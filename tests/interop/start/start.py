"""Starts an emulator, talks to it and stops it."""

import subprocess
import sys
import urllib.request


class Emulator:
    """An emulator for the length of a `with` block."""

    def __init__(self, program: str = "oss-emulator") -> None:
        self.command = [program, "--port", "0", "--access-key", "test:test-secret"]

    def __enter__(self) -> "Emulator":
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise RuntimeError("the emulator does not start")
        self.endpoint = line.removeprefix("listening on ").strip()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


if __name__ == "__main__":
    with Emulator(*sys.argv[1:]) as emulator:
        with urllib.request.urlopen(emulator.endpoint + "/healthz") as answer:
            print(emulator.endpoint, answer.status)

"""Runs the commands of a JSON list on standard input in a process of its own, and writes how each ended as JSON."""

import json
import sys
from dataclasses import asdict
from pathlib import Path


def main() -> None:
    """Run each command that standard input lists, and say how it ended."""
    from commands import run  # noqa: PLC0415 - the path is set below

    sys.stdout.write(json.dumps([asdict(run(*words)) for words in json.load(sys.stdin)]))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()

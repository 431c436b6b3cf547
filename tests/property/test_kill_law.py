"""kill -9 at sixty random points of the commands that write, and the command again: all is as if nothing had happened."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from killed_worlds import SETUPS
from moto.server import ThreadedMotoServer
from patience import HUNG

SCRIPT = Path(__file__).parents[1] / "support" / "killing.py"
KILLS = 60
# Libraries that would start threads, which a child of the script would not have.
WITHOUT_THREADS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}


def test_a_killed_command_that_runs_again_leaves_what_it_would_have_left(tmp_path: Path) -> None:
    """The seed is printed where something is wrong; KILL_SEED repeats it."""
    seed = os.environ.get("KILL_SEED") or str(random.randrange(10**6))
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VEDETTE_"))}
    aws = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_CONFIG_FILE": str(tmp_path / "config")}
    try:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), seed, str(tmp_path)],
            env=usual | aws | WITHOUT_THREADS,
            capture_output=True,
            text=True,
            timeout=HUNG,
            check=False,
        )
    finally:
        server.stop()
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-2000:]}"
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    assert [kill for kill in kills if kill["wrong"]] == [], f"seed {seed}"
    assert Counter(kill["command"] for kill in kills) == {setup.name: setup.kills for setup in SETUPS}
    assert len(kills) == KILLS
    assert len({kill["point"][0] for kill in kills}) >= 12, "hardly any point was tried"

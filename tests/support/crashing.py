"""A scan that is killed at a commit: ``python crashing.py STORE FOLDER COMMIT before|after ENGINE``; 0 is never reached."""

import os
import signal
import sys
from pathlib import Path

from caller_types import CALLERS
from quick_spark import QUICK
from scanning import lists_of, scan

from vedette.sources import Span, list_blobs
from vedette.store import Store

LISTS = {"tor": ["198.51.100.7"], "custom/ours": ["198.51.100.9"]}
SLICE_EVENTS = 20


class Killed(Store):
    """A store whose process dies by SIGKILL just before or just after a commit."""

    commits = 0
    deadly = 0
    moment = ""

    def commit(self, **given: object) -> None:
        """Commit, unless this is the one."""
        Killed.commits += 1
        if Killed.commits == self.deadly and self.moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        super().commit(**given)  # type: ignore[arg-type]
        if Killed.commits == self.deadly and self.moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)


def main(store: str, folder: str, commit: str, moment: str, engine: str) -> None:
    """Scan the folder into the store, and print how many commits it took."""
    Killed.deadly, Killed.moment = int(commit), moment
    settings = {"store": store, "slice_events": SLICE_EVENTS, "spark_master": "local[2]", "finding_types": CALLERS}
    settings["spark_conf"] = [f"{name}={value}" for name, value in QUICK.items()]
    scan(list_blobs(folder, Span()), lists_of(LISTS), store_class=Killed, engine=engine, **settings)
    sys.stdout.write(f"{Killed.commits}\n")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(*sys.argv[1:])

"""As `command_server`, with what a scan needs loaded, so that a cleaning starts at once."""

import runpy
from pathlib import Path

from pipelines.shard_step import warm_up

if __name__ == "__main__":
    warm_up()
    runpy.run_path(str(Path(__file__).with_name("command_server.py")), run_name="__main__")

"""The arguments of `sluicegate flow`: those of the command of the same name, and how it is run."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Final

RUNNERS: Final = ("local", "processes", "dask", "ray")
ACTIONS: Final = {
    "run": "run a pipeline once, with retries, on this machine or on a cluster",
    "serve": "run a pipeline on a schedule until this command is ended",
    "deploy": "register a pipeline with a Prefect server, for the workers of a work pool",
}


def add_flow(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    adders: Sequence[Callable[[argparse._SubParsersAction[argparse.ArgumentParser]], None]],
) -> None:
    """Add `flow`; each of `adders` adds the command of a flow, with its arguments."""
    flow = commands.add_parser(
        "flow",
        help="run, schedule or deploy a pipeline as a Prefect flow",
        description="The same pipelines as Prefect flows. Without PREFECT_API_URL a private server is "
        "started, and ends with the command. Needs: pip install 'sluicegate[flows]'.",
    )
    actions = flow.add_subparsers(
        title="actions", required=True, metavar="ACTION", dest="flow_action"
    )
    for action, meaning in ACTIONS.items():
        names = actions.add_parser(action, help=meaning, description=meaning).add_subparsers(
            title="flows", required=True, metavar="NAME", dest="flow_name"
        )
        for add in adders:
            add(names)
        for name, parser in names.choices.items():
            _add_run(parser)
            if name == "drift":
                _add_newest(parser)
            if action != "run":
                _add_schedule(parser)
            if action == "deploy":
                parser.add_argument(
                    "--pool", required=True, metavar="NAME", help="work pool of the server"
                )


def _add_run(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it is run")
    group.add_argument(
        "--runner", default="local", choices=RUNNERS,
        help="where the tasks that bring shards into --store run, and with --device cuda the search: "
        "threads, processes, a Dask or a Ray cluster (default: local)",
    )  # fmt: skip
    group.add_argument(
        "--address",
        metavar="URL",
        help="of the Dask scheduler or the Ray cluster (default: its own)",
    )
    group.add_argument(
        "--task-bytes", type=int, metavar="N",
        help="stored bytes of shards for each task (default: 256 MiB, less for a small corpus)",
    )  # fmt: skip
    group.add_argument(
        "--webhook", metavar="URL", help="is told of failures, and of verdicts that change"
    )
    group.add_argument(
        "--history", action="store_true",
        help="put the results of each run into a folder of its own below --out, with history.jsonl; "
        "serve and deploy always do",
    )  # fmt: skip


def _add_newest(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--newest-of", metavar="PATTERN",
        help="compare the last two versions that match, as in 'data/v*' or 's3://bucket/mix/v*/mix.yaml', "
        "instead of BASELINE and CANDIDATE; numbers in names count as numbers",
    )  # fmt: skip


def _add_schedule(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("schedule")
    times = group.add_mutually_exclusive_group()
    times.add_argument("--cron", metavar="TEXT", help="when to run, as in '0 6 * * *' (UTC)")
    times.add_argument("--interval", type=float, metavar="S", help="seconds between runs")
    group.add_argument(
        "--deployment", metavar="NAME", help="name of the deployment (default: sluicegate)"
    )

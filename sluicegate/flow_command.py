"""`sluicegate flow`: what it does and prints. Prefect is imported here, and by no other command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from flows.outcomes import Outcome

DONE = 0


def run_flow_command(options: argparse.Namespace) -> int:
    """Run, serve or deploy a flow, and return the exit status: for `run` that of the command itself."""
    from flows.environment import configured_api, prefect_server
    from flows.errors import FlowError
    from sluicegate.flow_parameters import parameters_of

    if find_spec("prefect") is None:
        raise FlowError("flows need Prefect; pip install 'sluicegate[flows]'")
    parameters = parameters_of(options)  # mistakes are told before a server is started
    if options.flow_action == "deploy" and configured_api() is None:
        raise FlowError(
            "a deployment lives in a Prefect server; start one with: prefect server start, and name it in "
            "PREFECT_API_URL"
        )
    _say("starting", options)
    with prefect_server(schedules=options.flow_action == "serve") as url:
        _say(f"Prefect at {url}", options)
        actions = {"run": _run, "serve": _serve, "deploy": _deploy}
        return actions[options.flow_action](options, parameters)


def _run(options: argparse.Namespace, parameters: Mapping[str, Any]) -> int:
    from flows.running import run_flow

    outcome = run_flow(options.flow_name, parameters)
    _print(outcome, options)
    if outcome.exit_status:
        _say(f"{outcome.verdict}: {outcome.headline}", options, always=True)
    return outcome.exit_status


def _serve(options: argparse.Namespace, parameters: Mapping[str, Any]) -> int:
    from flows.running import serve_flow

    _say(f"serving {options.flow_name}; end with Ctrl-C", options)
    serve_flow(
        options.flow_name,
        _as_json(parameters),
        deployment=options.deployment,
        cron=options.cron,
        interval_s=options.interval,
    )
    return DONE


def _deploy(options: argparse.Namespace, parameters: Mapping[str, Any]) -> int:
    from flows.running import deploy_flow

    name = deploy_flow(
        options.flow_name,
        _as_json(parameters),
        pool=options.pool,
        deployment=options.deployment,
        cron=options.cron,
        interval_s=options.interval,
    )
    print(f"deployment: {name}\nrun it with: prefect deployment run {name}")
    return DONE


def _as_json(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        for name, value in parameters.items()
    }


def _print(outcome: Outcome, options: argparse.Namespace) -> None:
    """Print what the command prints: the report that lies in the folder of the results."""
    from reports.render import find_report, render_file, render_json
    from reports.verdict_terminal import render_verdict_terminal

    if outcome.flow == "gate" and outcome.out is not None and not options.json:
        text = (Path(outcome.out) / "report.json").read_text(encoding="utf-8")
        sys.stdout.write(render_verdict_terminal(json.loads(text)))
        print(f"\nreport: {Path(outcome.out) / 'report.html'}")
        return
    path = None if outcome.out is None else find_report(Path(outcome.out))
    if path is not None:
        sys.stdout.write(render_file(path, "json" if options.json else "terminal"))
    elif options.json:
        sys.stdout.write(render_json(outcome.facts))
    else:
        print(outcome.headline)
        if outcome.facts.get("version") is not None:
            print(f"version: {outcome.facts['version']}")
    if outcome.out is not None and not options.json:
        print(f"\nreport: {Path(outcome.out) / 'report.html'}")


def _say(message: str, options: argparse.Namespace, *, always: bool = False) -> None:
    if always or not options.quiet:
        print(f"sluicegate: {message}", file=sys.stderr)

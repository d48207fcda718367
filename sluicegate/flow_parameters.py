"""From the options of a command to the parameters of its flow."""

from __future__ import annotations

import argparse
import os
from typing import Any, TypeVar

from pydantic import BaseModel

from flows.errors import FlowError
from flows.newest import versions_to_compare
from flows.options import CLUSTERS, RunOptions
from flows.resources import gpus_of
from pipelines.audit_settings import AuditSettings
from pipelines.clean_settings import CleanSettings
from pipelines.drift_settings import DriftSettings
from pipelines.gate_settings import GateSettings
from pipelines.settings import ScanSettings
from sluicegate.options import settings_of

Settings = TypeVar("Settings", bound=BaseModel)


def parameters_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters of the flow that the options name.

    Raises:
        FlowError: where what is asked for does not go together.
        pydantic.ValidationError: where a setting has a value that it cannot have.
    """
    parameters = {
        "index": _index, "scan": _scan, "gate": _gate, "audit": _audit, "drift": _drift,
        "clean": _clean,
    }[options.flow_name](options)  # fmt: skip
    run = {name: getattr(options, name) for name in ("runner", "address", "jobs", "webhook")}
    if options.task_bytes is not None:
        run["task_bytes"] = options.task_bytes
    run["history"] = hasattr(options, "out") and (
        options.history or options.flow_action in ("serve", "deploy")
    )
    _refuse_idle_workers(options, parameters["settings"])
    return parameters | {"options": RunOptions(**run)}


def _index(options: argparse.Namespace) -> dict[str, Any]:
    from pipelines.index_settings import IndexSettings
    from pipelines.stored_embeddings import EmbeddingSettings

    for name in ("signatures", "profiles", "tokenizer"):
        if getattr(options, name):
            raise FlowError(
                f"--{name}: the flow makes indexes and --embeddings only; leave it out, and run "
                "sluicegate index build with it afterwards"
            )
    settings = _settings(IndexSettings, options)
    embeddings = None
    if options.embeddings is not None:
        told = {"embedding_model": options.embeddings, "device": options.device}
        embeddings = EmbeddingSettings(**settings.model_dump(), **told)
    return {
        "corpus": options.corpus,
        "store": options.store,
        "settings": settings,
        "embeddings": embeddings,
        "skip_bad": options.skip_bad,
    }


def _scan(options: argparse.Namespace) -> dict[str, Any]:
    _refuse_nothing(options)
    return {
        "corpus": options.corpus,
        "benchmarks": options.benchmarks,
        "out": os.fspath(options.out),
        "settings": _settings(ScanSettings, options),
        "fail_on": options.fail_on,
    }


def _gate(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "mix": options.mix,
        "benchmarks": options.benchmarks,
        "out": os.fspath(options.out),
        "against": options.against,
        "policy": options.policy,
        "settings": _settings(GateSettings, options),
    }


def _audit(options: argparse.Namespace) -> dict[str, Any]:
    _refuse_nothing(options)
    return {
        "corpus": options.corpus,
        "benchmarks": options.benchmarks,
        "out": os.fspath(options.out),
        "settings": _settings(AuditSettings, options),
        "fail_on": options.fail_on,
    }


def _drift(options: argparse.Namespace) -> dict[str, Any]:
    if options.newest_of is None or options.baseline is not None:
        versions_to_compare(options.baseline, options.candidate, options.newest_of)
    return {
        "baseline": options.baseline,
        "candidate": options.candidate,
        "newest_of": options.newest_of,
        "benchmarks": options.benchmarks,
        "out": os.fspath(options.out),
        "settings": _settings(DriftSettings, options),
        "fail_on_alarm": options.fail_on == "alarm",
    }


def _clean(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "corpus": options.corpus,
        "findings": os.fspath(options.findings),
        "out": os.fspath(options.out),
        "settings": _settings(CleanSettings, options),
    }


def _settings(kind: type[Settings], options: argparse.Namespace) -> Settings:
    """Return settings from the options of the same names."""
    return kind(**settings_of(kind, options))


def _refuse_nothing(options: argparse.Namespace) -> None:
    if not options.corpus and options.store is None:
        raise FlowError("nothing to scan; name a CORPUS, or an index store with --store")


def _refuse_idle_workers(options: argparse.Namespace, settings: BaseModel) -> None:
    """Refuse a runner that would have nothing to do.

    What goes into a store is cut into tasks, and what asks for a GPU goes where there is one.
    """
    if options.runner == "local":
        return
    if options.flow_name == "clean":
        raise FlowError(
            f"--runner {options.runner}: clean runs on one machine in this version; leave it out"
        )
    has_store = getattr(options, "store", None) is not None
    wants_gpu = gpus_of(settings) > 0 and options.runner in CLUSTERS
    if not has_store and not wants_gpu:
        raise FlowError(
            f"--runner {options.runner} needs --store: there its workers put what they make of the shards"
        )

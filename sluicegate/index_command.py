"""`sluicegate index`: what its actions do and print."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from sluicegate.output import say, visible

if TYPE_CHECKING:
    from indexes.store import Manifest, VersionShard
    from pipelines.index_settings import Built

DONE, INCOMPLETE = 0, 3
UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")


def run_index(options: argparse.Namespace) -> int:
    """Carry out `build`, `list`, `verify` or `prune`, and return the exit status."""
    actions = {"build": _build, "list": _list, "verify": _verify, "prune": _prune}
    return actions[options.action](options)


def _build(options: argparse.Namespace) -> int:
    from sluicegate.corpus_api import build_embeddings, build_index
    from sluicegate.progress import ProgressLine

    reading = {
        "text": tuple(options.text.split(",")), "id": options.id, "domain": options.domain,
        "verify": options.verify, "jobs": options.jobs,
    }  # fmt: skip

    with ProgressLine(sys.stderr, quiet=options.quiet) as progress:
        built = build_index(
            options.corpus,
            options.store,
            progress=progress.show_parts,
            name=options.name,
            keep_text=options.keep_text,
            **reading,
        )
        embedded = None
        if options.embeddings is not None and built.manifest is not None:
            embedded = build_embeddings(
                options.corpus,
                options.store,
                model=options.embeddings,
                device=options.device,
                progress=progress.show_parts,
                **reading,
            )
            built.mended += embedded.mended
            built.problems += embedded.problems
    for line in built.mended:
        say(f"built anew: {line}")
    name = None if built.manifest is None else built.manifest.name
    if options.json:
        _print_json(
            {
                "store": built.store,
                "version": name,
                "shards": built.shards,
                "built": built.built,
                "recognised": built.recognised,
                "documents_read": built.documents,
                "bytes_read": built.bytes,
                "bad_documents": built.bad_documents,
                "broken_off": built.broken_off,
                "unread": [
                    {"shard": p.shard, "reason": p.reason, "mend": p.mend} for p in built.problems
                ],
                "seconds": built.seconds,
                **({} if embedded is None else {"embeddings": _embedded(embedded)}),
            }
        )
    else:
        print(
            f"{built.shards:,} shards: {built.built:,} indexed ({built.documents:,} documents, "
            f"{_size(built.bytes)} of text), {built.recognised:,} there already; {built.seconds:,.1f} s"
        )
        if name is not None:
            print(f"version: {name}")
        if embedded is not None:
            print(_embedded_in_words(embedded))
    if built.problems:
        first = built.problems[0]
        more = f" (and {len(built.problems) - 1:,} more shards)" if len(built.problems) > 1 else ""
        say(
            f"incomplete: no version was written: {visible(first.shard)}: {visible(first.reason)}; "
            f"{first.mend}{more}"
        )
        return INCOMPLETE
    if built.broken_off:
        say(
            f"incomplete: {built.broken_off:,} shards are damaged and were read in part; a scan of the "
            "version names them"
        )
        return INCOMPLETE
    if built.bad_documents and not options.skip_bad:
        say(
            f"incomplete: {built.bad_documents:,} documents could not be read; a scan of the version "
            "names them"
        )
        return INCOMPLETE
    return DONE


def _embedded(embedded: Built) -> dict[str, Any]:
    """Return what was embedded, as JSON has it."""
    from indexes.store import Store
    from pipelines.stored_embeddings import extent

    if embedded.manifest is None:  # it changed since: the problems say how
        return {"version": None, "built": embedded.built, "recognised": embedded.recognised}
    found = extent(Store.open(embedded.store), embedded.manifest)
    return {
        "version": embedded.manifest.name,
        "built": embedded.built,
        "recognised": embedded.recognised,
        "windows": found.windows,
        "stored_bytes": found.stored_bytes,
        "text_bytes": found.text_bytes,
        "seconds": embedded.seconds,
    }


def _embedded_in_words(embedded: Built) -> str:
    made = _embedded(embedded)
    if made["version"] is None:
        return f"embeddings: {made['built']:,} shards embedded, no version was written"
    return (
        f"embeddings: {made['built']:,} shards embedded, {made['recognised']:,} there already; "
        f"{made['windows']:,} windows in {_size(made['stored_bytes'])}, "
        f"{made['stored_bytes'] / max(made['text_bytes'], 1):.2f} bytes for a byte of text; "
        f"{made['seconds']:,.1f} s\nversion: {made['version']}"
    )


def _list(options: argparse.Namespace) -> int:
    from indexes.store import Store
    from indexes.store.upkeep import sizes
    from pipelines.index import kind_of

    stored = sizes(Store.open(options.store))
    versions = [
        {
            "version": size.manifest.name,
            "kind": kind_of(size.manifest),
            "created": size.manifest.created.isoformat(timespec="seconds"),
            "shards": len(_corpus_shards(size.manifest)),
            "corpus_bytes": sum(shard.size_bytes for shard in _corpus_shards(size.manifest)),
            "stored_bytes": size.stored_bytes,
            "own_bytes": size.own_bytes,
            "missing_shards": size.missing_shards,
        }
        for size in sorted(stored.versions, key=lambda size: size.manifest.created)
    ]
    if options.json:
        _print_json(
            {
                "store": options.store,
                "versions": versions,
                "shards": stored.shards,
                "shard_bytes": stored.shard_bytes,
                "unused_shards": stored.unused_shards,
                "unused_bytes": stored.unused_bytes,
                "faults": list(stored.faults),
            }
        )
    else:
        for version in versions:
            print(
                f"{version['version']}: {version['kind']} of {version['shards']:,} shards "
                f"({_size(version['corpus_bytes'])}) in {_size(version['stored_bytes'])}, "
                f"{_size(version['own_bytes'])} its own, {version['created']}"
                + (f"; {version['missing_shards']:,} missing" if version["missing_shards"] else "")
            )
        print(
            f"{stored.shards:,} entries, {_size(stored.shard_bytes)}; {stored.unused_shards:,} in no "
            f"version, {_size(stored.unused_bytes)}"
        )
    for fault in stored.faults:
        say(fault)
    is_whole = not stored.faults and not any(version["missing_shards"] for version in versions)
    return DONE if is_whole else INCOMPLETE


def _corpus_shards(manifest: Manifest) -> list[VersionShard]:
    """Return the shards of a version, without what was made of them together."""
    from pipelines.embedding_training import TRAINED
    from pipelines.index import BATTERIES
    from pipelines.stored_sums import is_sum

    if manifest.recipe.fingerprints.startswith(BATTERIES):
        return []
    return [s for s in manifest.shards if s.path != TRAINED and not is_sum(s)]


def _verify(options: argparse.Namespace) -> int:
    from indexes.store.upkeep import verify_store

    faults = list(verify_store(options.store))
    damage = [fault for fault in faults if fault.is_damage]
    if options.json:
        _print_json(
            {
                "store": options.store,
                "whole": not damage,
                "faults": [
                    {"kind": fault.kind.value, "line": fault.line, "key": fault.key}
                    for fault in faults
                ],
            }
        )
    else:
        for fault in faults:
            print(f"{fault.kind.value}: {fault.line}")
        print(
            f"{len(damage):,} damaged: build the corpus again, with --verify"
            if damage
            else "whole: every stored file is what was written"
        )
    return INCOMPLETE if damage else DONE


def _prune(options: argparse.Namespace) -> int:
    from indexes.store import Store
    from indexes.store.upkeep import plan_prune, prune

    store = Store.open(options.store)
    known = store.versions()
    for name in options.drop_version:
        if name not in known:
            from indexes.store import StoreError

            raise StoreError(
                options.store, f"no version {name!r}", f"it has {_listed(known) or 'none'}"
            )
    if options.yes:
        for name in options.drop_version:
            store.drop_version(name)
    plan = prune(store) if options.yes else plan_prune(store)
    if options.json:
        _print_json(
            {
                "store": options.store,
                "done": options.yes,
                "removed": [
                    {"path": each.path, "bytes": each.bytes, "reason": each.reason}
                    for each in plan.doomed
                ],
                "bytes": plan.bytes,
                "kept": list(plan.kept),
            }
        )
        return DONE
    if options.drop_version and not options.yes:
        print(f"versions {_listed(options.drop_version)} and what only they name would go, too")
    for each in plan.doomed:
        print(f"{each.path}: {_size(each.bytes)}, {each.reason}")
    for line in plan.kept:
        print(line)
    if not plan.doomed and not options.drop_version:
        print("nothing to remove")
        return DONE
    verb = "removed" if options.yes else "would go; repeat with --yes"
    print(
        f"{len(plan.doomed):,} {'thing' if len(plan.doomed) == 1 else 'things'}, {_size(plan.bytes)}: {verb}"
    )
    return DONE


def _size(n_bytes: Any) -> str:
    """Return bytes in words, 1,000 a step."""
    value, unit = float(n_bytes), 0
    while value >= 1000 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return (
        f"{value:,.0f} {UNITS[unit]}"
        if unit == 0 or value >= 100
        else f"{value:,.1f} {UNITS[unit]}"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))

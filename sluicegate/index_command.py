"""`sluicegate index`: what its actions do and print."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sluicegate.index_beside import as_json, build_beside, corpus_shards, in_words
from sluicegate.output import say, size_in_words, visible

if TYPE_CHECKING:
    from pipelines.index_settings import Built

DONE, WRONG, INCOMPLETE = 0, 2, 3


def run_index(options: argparse.Namespace) -> int:
    """Carry out `build`, `list`, `verify` or `prune`, and return the exit status."""
    actions = {"build": _build, "list": _list, "verify": _verify, "prune": _prune}
    return actions[options.action](options)


def _build(options: argparse.Namespace) -> int:
    from sluicegate.index_api import build_index
    from sluicegate.progress import ProgressLine

    if options.tokenizer is not None:
        if not options.profiles:
            say("--tokenizer: it says what a profile counts; give --profiles, too")
            return WRONG
        from corpora.tokenizer import load_tokenizer

        load_tokenizer(options.tokenizer)  # what is wrong with it is told before a long build
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
        beside: dict[str, Built] = {}
        if built.manifest is not None:
            beside = build_beside(options, reading, progress.show_parts)
    for part in beside.values():
        built.mended += part.mended
        built.problems += part.problems
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
                **{key: as_json(key, part) for key, part in beside.items()},
            }
        )
    else:
        print(
            f"{built.shards:,} shards: {built.built:,} indexed ({built.documents:,} documents, "
            f"{size_in_words(built.bytes)} of text), {built.recognised:,} there already; {built.seconds:,.1f} s"
        )
        if name is not None:
            print(f"version: {name}")
        for key, part in beside.items():
            print(in_words(key, part))
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
            "shards": len(corpus_shards(size.manifest)),
            "corpus_bytes": sum(shard.size_bytes for shard in corpus_shards(size.manifest)),
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
                f"({size_in_words(version['corpus_bytes'])}) in {size_in_words(version['stored_bytes'])}, "
                f"{size_in_words(version['own_bytes'])} its own, {version['created']}"
                + (f"; {version['missing_shards']:,} missing" if version["missing_shards"] else "")
            )
        print(
            f"{stored.shards:,} entries, {size_in_words(stored.shard_bytes)}; {stored.unused_shards:,} in no "
            f"version, {size_in_words(stored.unused_bytes)}"
        )
    for fault in stored.faults:
        say(fault)
    is_whole = not stored.faults and not any(version["missing_shards"] for version in versions)
    return DONE if is_whole else INCOMPLETE


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
        print(f"{each.path}: {size_in_words(each.bytes)}, {each.reason}")
    for line in plan.kept:
        print(line)
    if not plan.doomed and not options.drop_version:
        print("nothing to remove")
        return DONE
    verb = "removed" if options.yes else "would go; repeat with --yes"
    print(
        f"{len(plan.doomed):,} {'thing' if len(plan.doomed) == 1 else 'things'}, {size_in_words(plan.bytes)}: {verb}"
    )
    return DONE


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=1))

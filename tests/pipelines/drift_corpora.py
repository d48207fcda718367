"""Made-up corpora for tests of drift: domains with vocabularies of their own, and planted changes."""

import json

import numpy as np

DOMAINS = ("code", "math", "news", "web")
WORDS = 400  # of a domain's own
COMMON = 600  # that all domains share


def documents(words, n_documents, seed, domains=DOMAINS):
    """Return records of id, domain and text; `words(first, last)` makes words.

    Half the words of a document are common ones, by Zipf's law; its length varies.
    """
    rng = np.random.default_rng(seed)
    common = words(0, COMMON)
    zipf = 1 / np.arange(1, COMMON + 1)
    records = []
    for number in range(n_documents):
        place = number % len(domains)
        own = words(COMMON + place * WORDS, COMMON + (place + 1) * WORDS)
        length = int(rng.integers(60, 240))
        shared = rng.choice(common, length // 2, p=zipf / zipf.sum())
        # a document is about something: it repeats some words of its domain
        topic = rng.choice(own, 40)
        told = rng.choice(topic, length - length // 2)
        text = " ".join(rng.permutation(np.concatenate([shared, told])))
        records.append({"id": f"{seed}-{number}", "domain": domains[place], "text": text})
    return records


def write(folder, records, shards=3):
    """Write records as JSONL shards into a folder, and return it as text."""
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(shards):
        lines = [json.dumps(record) + "\n" for record in records[shard::shards]]
        (folder / f"{shard}.jsonl").write_text("".join(lines), encoding="utf-8")
    return str(folder)


def without(records, dropped):
    """Return the records with these words taken out of their texts."""
    dropped = set(dropped)
    return [
        record | {"text": " ".join(word for word in record["text"].split() if word not in dropped)}
        for record in records
    ]

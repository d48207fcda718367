"""Builds indexes/data/background.npz, the background that common words and phrases are weighed by.

The text comes from Debian packages: documentation, dictionaries, books, quotations, source code and
licences in nine languages, all free to redistribute; the file holds hashes and counts only. Run it
on a Debian 12 machine after `apt-get update`, again whenever the normal form has changed:

    python tools/build_background.py --debs FOLDER

FOLDER keeps the downloaded packages (about 390 MB), so that a second run needs no network; nothing is
installed. The same packages and the same normal form give the same bytes.

A background document is a piece of about 300 words of one file, so that "in how many documents"
means the same for a dictionary and for a manual page.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import html
import json
import re
import subprocess
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from corpora.normal_form import fingerprint, word_hashes
from indexes.seeds import SEED_WORDS, seed_hashes
from indexes.shingles import BUCKET_BITS, BUCKET_SHIFT, text_shingles

DATA = Path(__file__).parents[1] / "indexes" / "data"
PIECE_WORDS = 300
LEAST_WORD_DOCUMENTS = 4
LEAST_PHRASE_DOCUMENTS = 5
LEAST_PHRASE_SOURCES = 2  # source packages: the running heads of one manual are no common phrase
MOST_WORDS = 80_000
MOST_PHRASES = 100_000
PIECE_CHARS = 1800  # of the normal form, in which character 5-grams are counted: 300 words or so
MOST_SHINGLES = 8192  # what is common turns away two thirds of the 5-grams of a text
MOST_CHARS = 6_000_000  # of a package, so that no manual makes up the background
LEAST_CHARS = 200  # shorter files are redirections and empty index pages


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package: its licence in short, and which of its files count (all that are text)."""

    name: str
    licence: str
    paths: str = ""  # regular expression that a file's path must contain


@dataclass(frozen=True, slots=True)
class Source:
    """What one package gave: the source package it was built from, and its texts."""

    package: Package
    version: str
    origin: str
    texts: list[str]

    @property
    def bytes(self) -> int:
        """UTF-8 bytes of the texts."""
        return sum(len(text.encode()) for text in self.texts)


GPL2 = "GPL-2+"
CODE = r"\.(py|go)$"
PACKAGES = [
    Package("python3.11-doc", "PSF-2.0", r"/html/.*\.html$"),
    Package("debian-handbook", "GPL-2+ or CC-BY-SA-3.0", r"/html/(en|de|fr|es|ru|ja|zh)-\w+/"),
    *(Package(f"debian-reference-{x}", GPL2) for x in ("en", "de", "es", "fr", "ja", "zh-cn")),
    *(
        Package(f"debian-faq{x}", "verbatim-and-modified copying (GNU documentation notice)")
        for x in ("", "-de", "-fr", "-ja", "-ru", "-zh-cn")
    ),
    *(Package(f"aptitude-doc-{x}", GPL2) for x in ("en", "es", "ja", "ru")),
    *(Package(f"developers-reference{x}", "GPL-2") for x in ("", "-de", "-fr", "-ja", "-ru")),
    Package("debian-policy", GPL2, r"\.html$"),
    Package("installation-guide-amd64", "GPL-2", r"/(en|de|fr|es|ru|ja|zh_CN)/"),
    Package("dict-gcide", "GPL-3+", r"\.dict\.dz$"),
    Package("dict-wn", "WordNet licence (permissive)", r"\.dict\.dz$"),
    Package("dict-foldoc", "GFDL-1.1+", r"\.dict\.dz$"),
    Package("dict-jargon", "public domain", r"\.dict\.dz$"),
    Package("dict-devil", "public domain", r"\.dict\.dz$"),
    Package("dict-vera", "GFDL-1.1+", r"\.dict\.dz$"),
    Package("r-cran-janeaustenr", "MIT; the novels are in the public domain", r"Rdata\.rdb$"),
    Package("sword-text-web", "public domain", r"\.bzz$"),
    Package("anarchism", "GPL-2", r"\.html$"),
    Package("fortunes", "BSD-3-Clause; collected quotations", r"/fortunes/"),
    Package("fortunes-de", "GPL-2+; collected quotations", r"/fortunes/"),
    Package("fortunes-es", "GPL-2+; collected quotations", r"/fortunes/"),
    Package("fortunes-ru", "GPL-2; collected quotations", r"/fortunes/"),
    Package("fortunes-zh", "GPL-3+; collected quotations", r"/fortunes/"),
    Package("dasher-data", "GPL-2+", r"/training_(english|german|deutsch|french|spanish|russian)"),
    Package(
        "linux-doc-6.1", "GPL-2", r"/html/(admin-guide|process|core-api|filesystems|translations)/"
    ),
    Package("manpages", "GPL-2+, BSD and Linux-man-pages"),
    Package("manpages-dev", "GPL-2+, BSD and Linux-man-pages"),
    *(Package(f"manpages-{x}", "GPL-3+ and those of the originals") for x in ("de", "es", "fr")),
    Package("manpages-ru", "GPL-3+ and those of the originals"),
    Package("manpages-ja", "those of the originals, free"),
    Package("manpages-zh", "GFDL-1.2+ and those of the originals"),
    Package(
        "rust-doc",
        "MIT or Apache-2.0",
        r"/html/(book|reference|rust-by-example|nomicon|cargo|rustc)/.*\.html$",
    ),
    *(
        Package(f"libreoffice-help-{x}", "MPL-2.0 or LGPL-3+", r"\.html$")
        for x in ("en-us", "de", "fr", "es", "ru", "ja", "zh-cn")
    ),
    Package("gnome-user-docs", "CC-BY-SA-3.0", r"/help/(C|de|fr|es|ru|ja|zh_CN)/"),
    Package("maxima-doc", GPL2, r"\.html$"),
    Package("octave-doc", "GPL-3+", r"\.html$"),
    Package("r-doc-html", "GPL-2", r"\.html$"),
    Package(
        "sagemath-doc",
        "GPL-2+, BSD and CC-BY-SA-3.0",
        r"/html/(en|de|fr|es|ja|ru|zh)/(tutorial|thematic_tutorials|constructions|prep|a_tour)",
    ),
    Package("python-sympy-doc", "BSD-3-Clause", r"\.html$"),
    Package("perl-doc", "Artistic or GPL-1+", r"\.pod$"),
    Package("postgresql-doc-15", "PostgreSQL", r"\.html$"),
    Package("git-doc", "GPL-2", r"\.(html|txt)$"),
    Package("libpython3.11-stdlib", "PSF-2.0", CODE),
    Package("python3-django", "BSD-3-Clause", CODE),
    Package("python3-networkx", "BSD-3-Clause", CODE),
    Package("golang-1.19-src", "BSD-3-Clause", CODE),
    Package("libstdc++-12-dev", "GPL-3+ with GCC runtime exception", r"/include/"),
    Package("base-files", "licence texts, free to copy", r"/common-licenses/"),
]

# Five words or more become seeds by themselves; shorter ones are put behind the letters of choices.
PHRASES = """
which of the following is
which of the following is not
which of the following is true
which of the following is false
which of the following is correct
which of the following is the best
which of the following is most likely
which of the following is an example of
which of the following best describes
which of the following best describes the
which of the following statements is
which of the following statements is true
which of the following statements is false
which of the following statements is correct
which of the following statements are true
which of the following statements about
which one of the following is
which one of the following statements
which of these is the best
what is the value of
what is the sum of the
what is the total number of
what is the main idea of the passage
what is the best title for
what is the most likely cause
what is the answer to this question
what can be inferred from the
according to the passage
according to the passage which of the following
the author of the passage
it can be inferred from the passage that
based on the passage which of the following
choose the best answer
choose the best answer to the question
choose the correct answer from the following
choose the option that best completes
select the best answer
select the correct answer from the options below
answer the following question
answer the following multiple choice question
the following are multiple choice questions with answers
the following is a multiple choice question
the correct answer is
the correct answer is option
the answer is option
therefore the correct answer is
so the answer is
all of the above
none of the above
none of these answers is correct
both a and b are correct
not enough information is given
cannot be determined from the information given
read the following passage and answer the question
fill in the blank
fill in the blank with the correct word
complete the following sentence
true or false
is the following statement true or false
determine whether the following statement is true
how many are there in total
how many more does he have than
how many are there in all
how much does it cost in total
how much money does he have left
how much money does she have left
how many does he have left
how many does she have left
write a function that
write a function that takes a
write a function to find the
write a function to check if
write a function to check whether the given
write a python function to
write a python function that
write a python function to find the
write a program that reads
returns the sum of the
return true if the
return a list of all the
you are given a list of
you are given an array of integers
given a list of integers return
given an array of integers find
given a string s return the
the input consists of a single line
the first line of input contains
each line of the input contains
let s think step by step
let us think step by step
think step by step and then answer
solve the following problem step by step
here is a step by step solution
below is an instruction that describes a task
write a response that appropriately completes the request
you are a helpful assistant
question answer explanation
put your final answer within boxed
下列说法正确的是
下列说法错误的是
下列说法不正确的是
下列叙述正确的是
下列各项中正确的是
下列关于的说法正确的是
下列选项中属于
以下哪一项是正确的
以下说法正确的是
根据上述材料回答下列问题
正确答案是
以上都正确
以上都不对
以上选项都是
请回答下列问题
请选择正确的答案
关于下列说法中正确的是
welche der folgenden aussagen ist richtig
welche der folgenden aussagen ist falsch
keine der genannten antworten ist richtig
laquelle des affirmations suivantes est correcte
lequel des énoncés suivants est vrai
cuál de las siguientes afirmaciones es correcta
cuál de los siguientes es un
ninguna de las respuestas anteriores
какое из следующих утверждений верно
какое из следующих утверждений неверно
выберите правильный ответ из предложенных вариантов
次のうち正しいものはどれか
次の文章を読んで質問に答えなさい
"""
LETTERS = ["a", "b", "c", "d", "e", "1", "2", "3", "4", "5", "answer"]


def main() -> None:
    """Fetch what is missing, count, write the two files and say what they hold."""
    parser = argparse.ArgumentParser(description="Build indexes/data/background.npz.")
    parser.add_argument("--debs", type=Path, required=True, help="where downloaded packages are")
    folder = parser.parse_args().debs
    folder.mkdir(parents=True, exist_ok=True)
    sources = []
    counts: list[tuple[str, Counts]] = []
    for package in PACKAGES:
        source = read_package(package, fetch(package.name, folder))
        sources.append(source_entry(source))
        counts.append((source.origin, count(source.texts)))
        print(f"{package.name}: {sources[-1]['texts']} texts, {sources[-1]['bytes'] / 1e6:.1f} MB")
    write(sources, counts)


@dataclass(frozen=True, slots=True)
class Counts:
    """Document frequencies of one package: hashes sorted, uint64; frequencies int64."""

    documents: int
    words: np.ndarray
    word_documents: np.ndarray
    phrases: np.ndarray
    phrase_documents: np.ndarray
    shingle_documents: np.ndarray  # int64 (2**20,), by bucket


# Packages to texts


def fetch(name: str, folder: Path) -> Path:
    """Return the package file, downloaded if it is not there yet."""
    if not (found := sorted(folder.glob(f"{name}_*.deb"))):
        subprocess.run(["apt-get", "download", "-qq", name], cwd=folder, check=True)
        found = sorted(folder.glob(f"{name}_*.deb"))
    return found[-1]


def read_package(package: Package, path: Path) -> Source:
    """Read the texts of a package in the order of their paths, thinned out to `MOST_CHARS`."""
    texts: dict[str, str] = {}
    command = ["dpkg-deb", "--fsys-tarfile", str(path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as archive,
    ):
        for member in archive:
            if member.isfile() and re.search(package.paths, member.name):
                file = archive.extractfile(member)
                texts[member.name] = text_of(member.name, file.read() if file else b"")
    kept = [texts[name] for name in sorted(texts) if len(texts[name]) >= LEAST_CHARS]
    kept = list(dict.fromkeys(kept))  # the same page may be laid down under several names
    keep_every = -(-sum(map(len, kept)) // MOST_CHARS)
    version, origin = field(path, "Version"), field(path, "Source") or package.name
    return Source(package, version, origin.split()[0], thinned(kept, keep_every))


def thinned(texts: list[str], keep_every: int) -> list[str]:
    """Every n-th text; of a package that is one large file, every n-th stretch of 20,000 letters."""
    if keep_every <= 1:
        return texts
    if len(texts) >= 10 * keep_every:
        return texts[::keep_every]
    return [
        text[start : start + 20_000]
        for text in texts
        for start in range(0, len(text), keep_every * 20_000)
    ]


def field(path: Path, name: str) -> str:
    """Return a field of the package's control file, "" where it is absent."""
    command = ["dpkg-deb", "--field", str(path), name]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def text_of(name: str, data: bytes) -> str:
    """Return the plain text of a file, "" for one that is no text or not UTF-8."""
    path = PurePosixPath(name)
    if path.suffix in {".gz", ".dz"}:
        data, path = gzip.decompress(data), path.with_suffix("")
    if path.suffix in {".rdb", ".bzz"}:  # R's data and SWORD's books: zlib streams in a row
        runs = re.findall(rb"[\t\n\x20-\x7e]{4,}", b"\n".join(zlib_streams(data)))
        return plain(b"\n".join(runs).decode("ascii"))
    if path.suffix in {".png", ".svg", ".jpg", ".js", ".css", ".dat", ".u8", ".pdf", ".ps"}:
        return ""
    try:  # dict-gcide has a few stray bytes; elsewhere they mean another encoding
        text = data.decode(errors="replace" if path.suffix == ".dict" else "strict")
    except UnicodeDecodeError:
        return ""
    if path.suffix in {".html", ".htm", ".page", ".xhtml"}:
        return plain(text)
    return from_roff(text) if "/man/" in name else text


def zlib_streams(data: bytes) -> Iterator[bytes]:
    """Yield what the zlib streams in `data` hold."""
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data):
        try:
            yield zlib.decompressobj().decompress(data[match.start() :], 16 << 20)
        except zlib.error:  # two bytes that only look like a header
            continue


def plain(text: str) -> str:
    """Return the text of HTML or another mark-up with tags."""
    text = re.sub(r"(?is)<(script|style|head|nav)\b.*?</\1\s*>|<!--.*?-->", " ", text)
    return html.unescape(re.sub(r"<[^<>]*>", " ", text))


def from_roff(text: str) -> str:
    """Return the text of a manual page: without requests' names, comments and escapes."""
    text = re.sub(r"(?m)^[.']\s*\\\".*$|\\\".*$", "", text)
    text = re.sub(r"(?m)^[.']\s*[A-Za-z]{1,3}\b", "", text)
    text = re.sub(r"\\f(\[\w*\]|\(..|.)|\\s[-+]?\d|\\[&%|^/,:]|\\m\[\w*\]", "", text)
    return re.sub(r"\\(\(..|\[\w*\]|e)", " ", text).replace("\\-", "-")


# Texts to counts


def count(texts: Iterable[str]) -> Counts:
    """Count in how many pieces of the texts every word and every phrase of five words stands."""
    words: list[np.ndarray] = []
    phrases: list[np.ndarray] = []
    shingles = np.zeros(1 << BUCKET_BITS, np.int64)
    for text in texts:
        hashes = word_hashes(text)
        for start in range(0, len(hashes), PIECE_WORDS):
            words.append(np.unique(hashes[start : start + PIECE_WORDS]))
            # A phrase belongs to the piece that it begins in.
            end = start + PIECE_WORDS + SEED_WORDS - 1
            phrases.append(np.unique(seed_hashes(hashes[start:end], SEED_WORDS)))
        buckets = text_shingles(text) >> BUCKET_SHIFT
        for start in range(0, len(buckets), PIECE_CHARS):
            shingles[np.unique(buckets[start : start + PIECE_CHARS])] += 1
    nothing = np.empty(0, np.uint64)
    return Counts(
        len(words),
        *np.unique(np.concatenate([nothing, *words]), return_counts=True),
        *np.unique(np.concatenate([nothing, *phrases]), return_counts=True),
        shingles,
    )


def totals(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge hashes with their counts: the hashes sorted, the sum and the number of parts of each."""
    hashes = np.concatenate([part[0] for part in parts])
    numbers = np.concatenate([part[1] for part in parts])
    order = np.argsort(hashes, kind="stable")
    unique, first = np.unique(hashes[order], return_index=True)
    sums = np.add.reduceat(numbers[order], first)
    return unique, sums, np.diff(np.append(first, len(hashes)))


def most_frequent(
    hashes: np.ndarray, numbers: np.ndarray, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the `most` frequent hashes (of equals the smaller hash), sorted by hash."""
    kept = np.sort(np.lexsort((hashes, -numbers))[:most])
    return hashes[kept], numbers[kept]


def common_words(counts: list[tuple[str, Counts]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the words that count as known, with their document frequencies."""
    words, numbers, _ = totals([(one.words, one.word_documents) for _, one in counts])
    known = numbers >= LEAST_WORD_DOCUMENTS
    return most_frequent(words[known], numbers[known], MOST_WORDS)


def common_phrases(counts: list[tuple[str, Counts]]) -> np.ndarray:
    """Return the seeds of the phrases that are common, and of the scaffolding."""
    origins: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for origin, one in counts:
        origins.setdefault(origin, []).append((one.phrases, one.phrase_documents))
    merged = [totals(parts)[:2] for parts in origins.values()]
    phrases, numbers, in_sources = totals(merged)
    common = (numbers >= LEAST_PHRASE_DOCUMENTS) & (in_sources >= LEAST_PHRASE_SOURCES)
    scaffolding = scaffolding_seeds()
    most = MOST_PHRASES - len(scaffolding)
    return np.union1d(most_frequent(phrases[common], numbers[common], most)[0], scaffolding)


def common_shingles(counts: list[tuple[str, Counts]]) -> np.ndarray:
    """Return the buckets of the most frequent character 5-grams: uint32, sorted."""
    total = np.sum([one.shingle_documents for _, one in counts], axis=0)
    return most_frequent(np.arange(len(total), dtype=np.uint32), total, MOST_SHINGLES)[0]


def scaffolding_seeds() -> np.ndarray:
    """Return the seeds of `PHRASES`, shorter ones behind the letters that choices carry."""
    phrases = PHRASES.split("\n")
    fronts = ["", *(f"{letter} " for letter in LETTERS)]
    seeds = [
        seed_hashes(word_hashes(front + phrase), SEED_WORDS)
        for phrase in phrases
        for front in fronts
        if not front or len(word_hashes(phrase)) < SEED_WORDS
    ]
    return np.unique(np.concatenate(seeds))


# Counts to files


def source_entry(source: Source) -> dict[str, object]:
    """Return what the record says of a package."""
    return {
        "package": source.package.name,
        "version": source.version,
        "source": source.origin,
        "licence": source.package.licence,
        "texts": len(source.texts),
        "bytes": source.bytes,
    }


def write(sources: list[dict[str, object]], counts: list[tuple[str, Counts]]) -> None:
    """Write the arrays and the record that names them by their checksum."""
    words, word_documents = common_words(counts)
    phrases = common_phrases(counts)
    documents = sum(one.documents for _, one in counts)
    DATA.mkdir(exist_ok=True)
    target = DATA / "background.npz"
    np.savez_compressed(
        target,
        word_hash=words,
        word_df=word_documents.astype(np.uint32),
        phrase_hash=phrases,
        common_shingles=common_shingles(counts),
        documents=np.array(documents, np.uint64),
    )
    record = {
        "normal_form": fingerprint(),
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "bytes": target.stat().st_size,
        "documents": documents,
        "words": len(words),
        "phrases": len(phrases),
        "common_shingles": MOST_SHINGLES,
        "scaffolding_phrases": len(scaffolding_seeds()),
        "seed_words": SEED_WORDS,
        "piece_words": PIECE_WORDS,
        "text_bytes": sum(int(str(source["bytes"])) for source in sources),
        "sources": sources,
    }
    path = DATA / "background.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print({name: value for name, value in record.items() if name != "sources"})


if __name__ == "__main__":
    main()

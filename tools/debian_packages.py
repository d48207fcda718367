"""The Debian packages that the background and the static table are built from, and the texts in them."""

from __future__ import annotations

import gzip
import html
import re
import subprocess
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

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

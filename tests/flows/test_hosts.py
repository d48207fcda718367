"""Dask over several hosts: network namespaces of this machine, with host names of their own."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.waiting import wait_for_shards

pytestmark = pytest.mark.slow
NETWORK = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"  # two runs of the tests may meet
PORT = 8786
SHARDS = 48
# A cluster notices a lost link after 30 s by default, and takes no less than 11.
SOON = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "12s"}


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


class Hosts:
    """Hosts on one network; this machine is another one there, with the address that ends in 1."""

    def __init__(self, environment):
        self._tag = f"sg{os.getpid() % 100000}"
        self._environment = environment
        self._n = 1
        self._started = []
        ip("link", "add", self._tag, "type", "bridge")
        ip("addr", "add", f"{NETWORK}.1/24", "dev", self._tag)
        ip("link", "set", self._tag, "up")

    def add(self):
        """Add a host; return its number, which its address ends in."""
        self._n += 1
        name, outside, inside = (f"{self._tag}{kind}{self._n}" for kind in "hoi")
        ip("netns", "add", name)
        ip("link", "add", outside, "type", "veth", "peer", "name", inside)
        ip("link", "set", inside, "netns", name)
        ip("link", "set", outside, "master", self._tag, "up")
        ip("-n", name, "addr", "add", f"{NETWORK}.{self._n}/24", "dev", inside)
        ip("-n", name, "link", "set", inside, "up")
        ip("-n", name, "link", "set", "lo", "up")
        return self._n

    def start(self, host, *arguments):
        """Run Python there."""
        name = f"{self._tag}h{host}"
        command = ["ip", "netns", "exec", name, "unshare", "--uts", "sh", "-c"]
        command += [f'hostname {name}; exec "$@"', "sh", sys.executable, "-m", *arguments]
        out = subprocess.DEVNULL
        process = subprocess.Popen(command, env=self._environment, stdout=out, stderr=out)
        self._started.append(process)
        return process

    def cut_off(self, host):
        """Take a host's cable out."""
        ip("link", "set", f"{self._tag}o{host}", "down")

    def close(self):
        for process in self._started:
            for child in children(process.pid):
                kill(child)
            process.kill()
            process.wait()
        for host in range(2, self._n + 1):
            subprocess.run(["ip", "netns", "del", f"{self._tag}h{host}"], check=False)
        subprocess.run(["ip", "link", "del", self._tag], check=False)


def children(pid):
    """The processes that a process has started, worker processes among them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def worker_of(nanny):
    """The process that a nanny looks after."""
    (worker,) = [
        child
        for child in children(nanny.pid)
        if b"spawn_main" in (Path("/proc") / str(child) / "cmdline").read_bytes()
    ]
    return worker


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.fixture
def hosts(environment):
    if os.geteuid() or shutil.which("ip") is None or shutil.which("unshare") is None:
        pytest.skip("separate hosts need root, ip and unshare")
    try:
        hosts = Hosts(environment | SOON)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
    try:
        try:
            hosts.add()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
        yield hosts
    finally:
        hosts.close()


def test_a_scan_survives_a_killed_worker_and_a_host_that_is_cut_off(
    hosts, sluicegate, write_corpus, tmp_path
):
    corpus = write_corpus(tmp_path / "data", SHARDS, documents=2000)
    text = (corpus / "007.jsonl").read_text().splitlines()[11].partition('"text": "')[2]
    question = " ".join(text.split()[5:40])
    benchmark = tmp_path / "quiz.jsonl"
    benchmark.write_text(f'{{"id": "a", "question": "{question}", "answer": "{text[:30]}"}}\n')
    common = ("--benchmarks", benchmark, "--calibration", "off", "--text", "text")
    local = sluicegate(
        "flow", "run", "scan", corpus, "--store", tmp_path / "s1", "--out", tmp_path / "o1", *common
    )
    assert local.returncode == 0, local.stderr

    scheduler, (first, second) = 2, (hosts.add(), hosts.add())
    address = f"tcp://{NETWORK}.{scheduler}:{PORT}"
    hosts.start(
        scheduler, "distributed.cli.dask_scheduler", "--host", f"{NETWORK}.{scheduler}",
        "--port", str(PORT), "--no-dashboard", "--no-jupyter",
    )  # fmt: skip
    nannies = [
        hosts.start(
            host, "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard",
            "--host", f"{NETWORK}.{host}", "--local-directory", str(tmp_path / f"work{host}"),
        )
        for host in (first, second)
    ]  # fmt: skip
    run = sluicegate(
        "flow", "run", "scan", corpus, "--store", tmp_path / "s2", "--out", tmp_path / "o2",
        "--runner", "dask", "--address", address, "--task-bytes", "1", *common,
        wait=False, env=SOON,
    )  # fmt: skip
    killed = wait_for_shards(tmp_path / "s2", 4, run)
    kill(worker_of(nannies[0]))
    cut = wait_for_shards(tmp_path / "s2", killed + 4, run)
    hosts.cut_off(second)
    said, _ = run.communicate(timeout=300)
    assert 4 <= killed < cut < SHARDS, "it was too late to matter"
    assert run.returncode == 0, said
    for name in ("findings.parquet", "items.parquet"):
        assert (tmp_path / "o2" / name).read_bytes() == (tmp_path / "o1" / name).read_bytes()

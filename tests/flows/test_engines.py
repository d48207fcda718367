import os
import signal
import threading
import time

import pytest

from flows.clusters import ClusterError
from flows.engines import UnwantedError, open_engine
from flows.options import RunOptions


def square(number, *, tell=None):
    return number * number


def die_once(marker, *, tell=None):
    """Kill the process at the first call, answer at the second."""
    try:
        descriptor = os.open(marker, os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        return "done"
    os.close(descriptor)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def number_of_process(*, tell=None):
    return os.getpid()


def work_until_told(began, *, tell):
    """Work for ever, as far as the step knows."""
    while True:
        began.set()
        tell("on it")
        time.sleep(0.01)


def test_threads_run_steps_here():
    with open_engine(RunOptions(jobs=3)) as engine:
        assert engine.slots() == engine.slots(gpus=1) == 3
        assert engine.call(square, 4, gpus=1) == 16


def test_a_step_at_work_ends_when_the_flow_does():
    began, ends = threading.Event(), []

    def ask(engine):
        try:
            engine.call(work_until_told, began)
        except UnwantedError as error:
            ends.append(error)

    with open_engine(RunOptions()) as engine:
        asking = threading.Thread(target=ask, args=[engine])
        asking.start()
        assert began.wait(10)
    asking.join(10)
    assert len(ends) == 1


def test_a_killed_process_is_replaced_and_none_is_left(tmp_path):
    with open_engine(RunOptions(runner="processes", jobs=1)) as engine:
        assert engine.call(die_once, str(tmp_path / "marker")) == "done"
        number = engine.call(number_of_process)
        assert number != os.getpid()
    time.sleep(0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_runner_that_is_not_installed_is_told_in_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with (
        pytest.raises(ClusterError, match=r"pip install 'sluicegate\[ray\]'"),
        open_engine(RunOptions(runner="ray")),
    ):
        pass

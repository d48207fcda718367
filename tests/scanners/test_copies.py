"""Shares of copies are compared with their errors and a least size."""

import pytest

from scanners.copies import compare_copies


@pytest.mark.parametrize(
    ("baseline", "candidate", "alarm"),
    [
        ((0.10, 0.001), (0.15, 0.001), True),
        ((0.10, 0.001), (0.105, 0.0001), False),  # real and too small
        ((0.10, 0.02), (0.15, 0.02), False),  # large and no more than chance
        ((0.15, 0.001), (0.10, 0.001), True),
        ((0.0, 0.0), (0.0, 0.0), False),
    ],
)
def test_an_alarm_is_beyond_chance_and_large(baseline, candidate, alarm):
    found = compare_copies(baseline, candidate, 0.001)
    assert found.alarm == alarm
    assert found.change == pytest.approx(candidate[0] - baseline[0])
    assert found.ci_low <= found.change <= found.ci_high

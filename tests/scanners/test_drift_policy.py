"""The policy of drift: what a user may say, and what is refused."""

import pytest

from scanners.drift_policy import DriftPolicy


def test_a_minimum_holds_for_a_domain_or_for_all():
    policy = DriftPolicy(minimum_shares={"code": 0.2}, minimum_share=0.01)
    assert (policy.minimum_of("code"), policy.minimum_of("web")) == (0.2, 0.01)
    assert DriftPolicy().minimum_of("code") == 0


@pytest.mark.parametrize("chance", [0, 1e-9, 0.2, float("nan")])
def test_a_chance_that_cannot_be_held_is_refused(chance):
    with pytest.raises(ValueError, match="false_alarms is"):
        DriftPolicy(false_alarms=chance)

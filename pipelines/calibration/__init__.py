"""The calibration battery: planted leaks and nulls measure the scan itself.

Items are planted, form by form, into copies of documents of the corpus at hand, and those are scanned
as the corpus was: nominated, aligned, judged and proven on the text. What is found of them is the
recall, what is found where nothing leaked the false-positive rate (what the documents hold as they are
is told apart from both); copies must be counted right, and
other batches, orders and threads must give the same findings. Every trial of a rate is another item,
so that its exact interval means what it says.

    stage        who is planted where: items, hosts, the places in them
    trials       one document or more per trial, and what counts as found
    controls     texts that hold no leak, and what the documents hold as they are
    invariance   the same documents, examined in other ways
    examination  the scan of what was planted: the one place that calls the scanners
    rates        what the trials amount to
    verdict      whether that is good enough, or why not
    words        the same for the report

After the sanity checks of Adebayo et al. 2018, with negative controls that share the items' words.
"""

from pipelines.calibration.battery import play, run_battery
from pipelines.calibration.outcomes import Calibration, Outcome, Rate
from pipelines.calibration.rates import CALIBRATION_SCHEMA, calibration_table

__all__ = [
    "CALIBRATION_SCHEMA",
    "Calibration",
    "Outcome",
    "Rate",
    "calibration_table",
    "play",
    "run_battery",
]

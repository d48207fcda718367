"""What every word of a drift report means, as the report itself prints it."""

from __future__ import annotations

from typing import Final

from reports.schema import Definition

DEFINITIONS: Final[tuple[Definition, ...]] = (
    {
        "term": "noise",
        "meaning": "how far a number moves when only the draw of documents changes: versions change "
        "places for a random half of the clusters of documents (by the hash of the text, so copies "
        "stay together), again and again; the floor is what 99 % of these random halves stay below",
    },
    {
        "term": "alarm",
        "meaning": "a change that is beyond the noise of its whole family of tests and as large as the "
        "limit: both, never one of them alone",
    },
    {
        "term": "mix part",
        "meaning": "what the token frequencies would have changed if only the shares of the domains had: "
        "sum over domains of (new share - old share) x old frequency; a domain that only one version has "
        "belongs to it",
    },
    {
        "term": "within part",
        "meaning": "the rest: sum over domains of new share x (new frequency - old frequency)",
    },
    {
        "term": "z",
        "meaning": "the within part in its standard deviations, each document being one draw, or each "
        "cluster where copies make that larger",
    },
    {
        "term": "q",
        "meaning": "Benjamini-Hochberg: the share of false ones among all tokens with a q as small",
    },
    {
        "term": "vanished",
        "meaning": "held by so many documents before that chance does not explain its absence, in "
        "domains that both versions have",
    },
    {
        "term": "total variation",
        "meaning": "half the sum of |changes|: the share that is elsewhere now",
    },
    {
        "term": "Jensen-Shannon divergence",
        "meaning": "to the base 2, in bits, in [0, 1]; the divergence, not its root",
    },
    {
        "term": "population stability index",
        "meaning": "sum of (q - p) ln(q / p); a share of 0 is taken for half a document",
    },
    {
        "term": "exposure",
        "meaning": "cross-entropy of the benchmark's tokens under the version's token frequencies, in "
        "bits per token; more bits: the version holds less of what the benchmark is made of",
    },
    {
        "term": "hypothesis",
        "meaning": "what published runs would make one expect of such a change of the mix; losses, not "
        "scores. Grade A: measured by you; B: published for the same domain; C: the direction only",
    },
)

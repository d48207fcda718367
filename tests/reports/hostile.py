"""Attacks in place of text: a report whose every free string is one."""

PAYLOADS = (
    '<script>document.title="owned"</script>',
    '"><img src=x onerror=\'document.title="owned"\'>',
    "</pre></code></details><h1>owned</h1>",
    "| a | b |\n|---|---|\n| `x` | ``y`` \\| \\\\| z |",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png) <http://evil.example>",
    "@octocat please see #1, www.evil.example and http://evil.example",
    "# heading\n\n---\n> quote\n\n```\nfence",
    "\x1b[2J\x1b[31mred\x1b]0;title\x07\x9b5A\r\x08overwrite",
    "abc\u202egnp.exe\u2066\u200b\u2028\ufeff\U000e0041\ud800",
    "=cmd|' /C calc'!A0",
    "{{ 7*7 }}{% raw %}${7*7}",
    "‹fake›《全角文字》\u0301\u0301",
    "a" * 3000,
)


def poisoned(value, kept, free=frozenset()):
    """Return a report with an attack for every string but those under the keys in `kept`.

    In mappings that stand under a key in `free`, keys are attacked, too.
    """
    return _poisoned(value, iter(PAYLOADS * 1000), "", kept, free)


def _poisoned(value, payloads, key, kept, free):
    if key in kept:
        return value
    if isinstance(value, str):
        return next(payloads)
    if isinstance(value, list):
        return [_poisoned(inner, payloads, "", kept, free) for inner in value]
    if isinstance(value, dict):
        return {
            (name + next(payloads) if key in free else name): _poisoned(
                inner, payloads, name, kept, free
            )
            for name, inner in value.items()
        }
    return value

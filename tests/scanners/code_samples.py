"""A task as benchmarks print it, and what became of it: other names, another loop, another language, no words."""

QUESTION = (
    "def longest_plateau(levels, most):\n"
    '    """Return where the longest stretch of levels begins that differ by at most `most`\n'
    "    from the first of the stretch, and how many levels it has.\n"
    "    >>> longest_plateau([4, 5, 9, 9, 8], 1)\n"
    "    (2, 3)\n"
    '    """\n'
)
ANSWER = (
    "    best, where = 0, -1\n"
    "    for start in range(len(levels)):\n"
    "        end = start\n"
    "        while end < len(levels) and abs(levels[end] - levels[start]) <= most:\n"
    "            end += 1\n"
    "        if end - start > best:\n"
    "            best = end - start\n"
    "            where = start\n"
    "        if best * 2 > len(levels) and best % 2 == 1:\n"
    "            break\n"
    "    return where, best\n"
)
REWRITTEN = """def tract(heights, tolerance):
    size = 0
    origin = -1
    i = 0
    while i < len(heights):
        j = i
        while j < len(heights) and abs(heights[j] - heights[i]) <= tolerance:
            j += 1
        if j - i > size:
            size = j - i
            origin = i
        if size * 2 > len(heights) and size % 2 == 1:
            break
        i += 1
    return origin, size
"""
GO = """func tract(heights []int, tolerance int) (int, int) {
    size, origin := 0, -1
    for i := 0; i < len(heights); i++ {
        j := i
        for j < len(heights) && math.Abs(heights[j]-heights[i]) <= tolerance {
            j++
        }
        if j-i > size {
            size = j - i
            origin = i
        }
        if size*2 > len(heights) && size%2 == 1 {
            break
        }
    }
    return origin, size
}
"""
OTHER_TASK = """def greet(people, default=None):
    lines = []
    for person in people:
        if person.name is None:
            person.name = default or "friend"
        lines.append("Hello, " + person.name.strip().lower())
    with open("greetings.txt", "w") as file:
        file.write("\\n".join(lines))
    return {person: line for person, line in zip(people, lines)}
"""
SHORT_QUESTION = (
    'def unique(values):\n    """Return the sorted distinct values of a list of whole numbers."""\n'
)
SHORT_ANSWER = "    return sorted(list(set(values)))\n"

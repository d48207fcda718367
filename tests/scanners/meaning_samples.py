"""Hand-written questions, and what was made of them: same meaning in other words, other numbers, another ask."""

BAKER = (
    "Marisol bought 14 crates of apricots for her bakery on Tuesday. She used 5 crates for jam and gave "
    "3 crates to her neighbour. How many crates of apricots does Marisol have left for her tarts?"
)
BAKER_REWORDED = (
    "On Tuesday, Marisol purchased 14 crates of apricots for her bakery. 5 of the crates went into jam, "
    "and she handed 3 crates to her neighbour. How many crates of apricots remain with Marisol to make "
    "her tarts?"
)
BAKER_OTHER_NUMBERS = (
    "Marisol bought 29 crates of apricots for her bakery on Tuesday. She used 11 crates for jam and gave "
    "7 crates to her neighbour. How many crates of apricots does Marisol have left for her tarts?"
)
PLUMBER = (
    "A plumber drives 46 miles to a customer in the mountains, repairs a boiler in 3 hours and charges 80 "
    "dollars for every hour of work and 2 dollars for each mile. What does the customer have to pay?"
)
LIGHTHOUSE = (
    "Which lighthouse keeper on the Farne Islands rowed out with her father in 1838 to rescue survivors "
    "of the wrecked steamship Forfarshire?"
)
LIGHTHOUSE_REWORDED = (
    "In 1838 a lighthouse keeper's daughter on the Farne Islands rowed with her father to save survivors "
    "of the steamship Forfarshire, which had been wrecked. Who was she?"
)
GRANITE = (
    "Granite cools slowly beneath volcanic ridges. Quartz, feldspar, mica crystallise; erosion exposes "
    "domes, tors, boulders. Geologists date zircon grains by uranium decay."
)
QUESTIONS = {"baker": BAKER, "plumber": PLUMBER, "lighthouse": LIGHTHOUSE}

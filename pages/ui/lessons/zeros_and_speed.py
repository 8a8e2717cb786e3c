"""Zeros are not speed: file, arithmetic and time are three different things.

Measured on two cores of a CPU, seed 0 (teacher 203,216 bytes, 50,200 multiply-adds, 98.1 %). Smallest weights, 50 %: 97.8
%, 109,683 bytes, 25,100 multiply-adds, 1.04 times the teacher's time [1.02, 1.15]. Second order, 80 %: 97.8 %, 49,435
bytes, 10,040 multiply-adds, 1.14 [1.10, 1.16]. Units, 50 %: 97.5 %, 73,972 bytes, 18,093 multiply-adds, 0.56 [0.55,
0.59]; 80 %: 84.1 %, 0.24.
`python -m compress curve --data digits --teacher mlp --method prune --set criterion=second_order --set pattern=units`.
"""

from pages.ui.lessons.lesson import DIGITS, PRUNE, TEACHER, Lesson, LessonStep, Question

PLAIN = {**DIGITS, "prune.coding": "none"}
REFITTED = {**PLAIN, "prune.criterion": "second_order"}
UNITS = {**REFITTED, "prune.pattern": "units"}

LESSON = Lesson("zeros-are-not-speed", "Zeros are not speed", "Why a file can shrink four times while nothing gets "
                "faster.", (
    LessonStep(
        "Half of the weights become zero",
        "Pruning sets the weights of smallest magnitude to zero. A product with zero contributes nothing, so half of the "
        "multiply-adds could be left out.", TEACHER, DIGITS,
        Question("Half of all weights are zero. How much faster does the network run?",
                 ("about twice as fast", "about 1.4 times as fast", "not faster"), 2,
                 "Not faster. A matrix product takes its numbers in blocks, zeros included; to skip single zeros costs more "
                 "time than it saves."),
        "This teacher needs 50,200 multiply-adds an example."),
    LessonStep(
        "50 % zeros: half the arithmetic, the same time",
        "The network has half of the multiply-adds and loses almost no accuracy. Its time, measured on this machine against "
        "the teacher's in turns, is not half. The file is a little more than half: it also stores which weights are left.",
        PRUNE, {**PLAIN, "prune.sparsity": "0.5"},
        Question("With 80 % zeros, a fifth of the multiply-adds is left. How much faster is that?",
                 ("about five times", "about twice", "still not faster"), 2,
                 "Still not faster: skipping zeros saves time only where about 85 % or more of a layer's weights are zero."),
        "The chart of what is saved: file, multiply-adds and time are three curves."),
    LessonStep(
        "80 % zeros, the others refitted",
        "Second-order pruning changes the weights that stay, to make up for those removed. The file is four times smaller "
        "and the accuracy is the teacher's within noise. And the time?", PRUNE, {**REFITTED, "prune.sparsity": "0.8"},
        Question("Instead of single weights, half of all hidden units are removed, with all their connections. What happens "
                 "to the time?", ("nothing", "it falls clearly", "it rises"), 1,
                 "It falls clearly: the remaining network is dense and smaller, and so is every block of its products."),
        "The sentence about the time at this stop, with its interval."),
    LessonStep(
        "Half of the units: really faster",
        "Without half of its units a layer has fewer rows, and the next one fewer columns: about a third of the "
        "multiply-adds are left, and the measured time falls too.", PRUNE, {**UNITS, "prune.sparsity": "0.5"},
        None,
        "The same chart: now file, multiply-adds and time fall together."),
    LessonStep(
        "The price of speed",
        "80 % of the units are removed: several times faster than the teacher, and more than ten points worse. Single "
        "weights keep accuracy, whole units gain time; which one is better depends on what you need.", PRUNE,
        {**UNITS, "prune.sparsity": "0.8"}, None,
        "Press play: where does this curve leave the one of single weights?"),
))

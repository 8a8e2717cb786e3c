"""Deep Compression, step by step: pruning, training, four shared values, training these, coding; the other order; GPTQ.

Measured on a CPU, seed 0 (teacher 203,216 bytes, 98.1 %), the share removed 85 %: pruned 39,233 bytes, coded 28,695, 94.2 %;
trained again 96.9 %; four values 11,511 bytes, coded 7,154, 95.8 %; these trained 11,511 and 7,148 bytes, 96.1 %; the other
way round 10.0 %; five levels by GPTQ in the place of the codebook 12,465 bytes, coded 6,430, 96.9 %.
`python -m compress curve --data digits --teacher mlp --method 'CHAIN+METHOD' --dial VALUE` with the chains below.
"""

from pages.ui.lessons.lesson import CHAINS, COMPARE, DIGITS, Lesson, LessonStep, Question

PRUNED = "prune(sparsity=0.85)"
AGAIN = "prune(recovery_batch=16,recovery_epochs=6,sparsity=0.85)"
SHARED = "quantize(levels=4,scheme=codebook)"
TRAINED = "quantize(levels=4,recovery_epochs=3,scheme=codebook)"

LESSON = Lesson("deep-compression", "Deep Compression, step by step", "What pruning, shared values and coding each "
                "take off a network, and why their order matters.", (
    LessonStep(
        "Prune",
        "Han et al. (2016) put three methods one after the other. The first removes weights: here 85 % of them, the "
        "smallest. Nothing is trained.", CHAINS, {**DIGITS, "chain": PRUNED},
        Question("About 4 points are lost. The weights that are left are trained for six passes. How many points are "
                 "still lost then?", ("about 4", "about 1", "none"), 1,
                 "About 1: the weights that are left take over some of what the others did. The file keeps its "
                 "length, because training moves values and not zeros."),
        "The staircase: the teacher, the file after pruning, the file after coding."),
    LessonStep(
        "Train the remaining weights",
        "Removed weights stay zero; the others are trained on the labels. 39 kB before coding: values of 32 bits, "
        "and one bit for each place.", CHAINS, {**DIGITS, "chain": AGAIN},
        Question("Next, all weights of a layer share four values; each stores which, in 2 bits. How long is the "
                 "file, not coded?", ("about 25 kB", "about 12 kB", "about 3 kB"), 1,
                 "About 12 kB. The values shrink from 32 bits to 2, but the places of the zeros still take one bit "
                 "for each weight that there was: most of the file.")),
    LessonStep(
        "Share four values",
        "k-means chooses the four values of each layer; every weight takes the nearest. Another point is lost.",
        CHAINS, {**DIGITS, "chain": f"{AGAIN}+{SHARED}"},
        Question("The four values of each layer can be trained: the gradient of a value is the sum over all weights "
                 "that share it. What happens to the file?",
                 ("it gets longer", "it gets much shorter", "its length stays"), 2,
                 "Its length stays: the same few values take the place of others, and no weight changes its number."),
        "The second step of the staircase: how many bytes four values save, and how much accuracy they cost."),
    LessonStep(
        "Train the values",
        "Three epochs of training for a dozen values regain a little accuracy. Coding then saves a third of the bytes and "
        "changes no prediction: 7 kB, 28 times smaller than the teacher.", CHAINS, {**DIGITS, "chain": f"{AGAIN}+{TRAINED}"},
        Question("The other way round: first four shared values, then remove 85 % and train. How accurate is that network?",
                 ("about 96 %, as before", "about 90 %", "about 10 %, as by guessing"), 2,
                 "About 10 %. After sharing, a layer has four magnitudes; pruning by magnitude cannot tell equal "
                 "weights apart, and removes whole values. Too few different values remain to be trained."),
        "The last stair: coding alone."),
    LessonStep(
        "The other way round",
        "The same two methods, the same settings, and the network only guesses. Pruning compares magnitudes, so it goes "
        "first: shared values make magnitudes equal.", CHAINS, {**DIGITS, "chain": f"{TRAINED}+{AGAIN}"},
        Question("Back to pruning first. Rounding to the outputs (GPTQ, 2023) replaces the trained values: five "
                 "levels, no training. Against 96.1 % in 7.1 kB it is",
                 ("worse and larger", "better and smaller", "better but larger"), 1,
                 "Better and smaller: 96.9 % in 6.4 kB. The error of each rounding is made good by the weights that "
                 "follow, and levels at equal distances with many small numbers code well."),
        "The fold *Order matrix* compares every two methods both ways round."),
    LessonStep(
        "Rounded to the outputs",
        "Pruning and training as before, then GPTQ with five levels: about one point lost in a file 31 times "
        "smaller. Turn the dial: how few levels does the pruned network bear?", CHAINS,
        {**DIGITS, "chain": f"{AGAIN}+quantize(levels=5)"}, None,
        "Add a step, move one, or turn another step's dial: each network on the way is kept."),
    LessonStep(
        "Side by side",
        "All networks of this lesson on one plane, also those in the middle of a chain.", COMPARE, DIGITS, None,
        "No network is both smaller and more accurate than one on the line."),
))

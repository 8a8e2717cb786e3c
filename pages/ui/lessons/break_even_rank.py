"""Break-even rank: when two factors are smaller than the matrix.

Measured on a CPU, seed 0 (teacher 203,216 bytes, 98.1 %): keep 90 % 203,216 bytes; 50 % 133,480 bytes (66 %), 97.8 %; 15
% 45,440 bytes, 96.9 % whitened, 97.8 % plain; 6 % 74.7 % whitened, 58.8 % plain. Break-even of 64x300: 19,200 / 364 =
52.7.
`python -m compress curve --data digits --teacher mlp --method low_rank --set scheme=plain`, and whitened.
"""

from pages.ui.lessons.lesson import DIGITS, LOW_RANK, TEACHER, Lesson, LessonStep, Question

KEEP = {**DIGITS, "method": "low_rank", "low_rank.coding": "none"}

LESSON = Lesson("break-even-rank", "Break-even rank", "When two factors are smaller than one matrix, and when they are "
                "not.", (
    LessonStep(
        "One matrix, or two factors",
        "The first layer has a weight matrix of 300 × 64 numbers. Its singular value decomposition writes it as a product "
        "of two factors of rank r, 300 × r and r × 64; small singular values can be left out.", TEACHER, DIGITS,
        Question("Every layer keeps 90 % of its ranks. How large is the file?",
                 ("10 % smaller", "half as large", "as large as before"), 2,
                 "As large as before. At rank 58 the two factors need 58 × (300 + 64) = 21,112 numbers, the matrix itself "
                 "19,200. A layer that would grow stays dense."),
        "The table of layers: the first two have almost all of the 50,610 parameters."),
    LessonStep(
        "90 % of the ranks: nothing is saved",
        "Two factors of an m × n matrix are smaller only below the break-even rank r = m n / (m + n). For 300 × 64 that is "
        "rank 52, four fifths of the full rank 64.", LOW_RANK, {**KEEP, "low_rank.keep": "0.9"},
        Question("Half of the ranks are kept. What is left of the file?", ("a quarter", "half", "about two thirds"), 2,
                 "About two thirds: 32 × 364 = 11,648 numbers instead of 19,200 in the first layer. Half of the ranks is "
                 "not half of the numbers."),
        "The sentence about the layers that stay dense, and the marked break-even ranks in the charts of singular values."),
    LessonStep(
        "Half of the ranks",
        "The file has shrunk to about two thirds, and the accuracy is the teacher's within noise. The ranks left out "
        "contributed little to the outputs.", LOW_RANK, {**KEEP, "low_rank.keep": "0.5"}, None,
        "In the chart of energies: how much of a layer's energy do half of its ranks hold?"),
    LessonStep(
        "15 % of the ranks",
        "Now the file is more than four times smaller, and at most about two points of accuracy are lost. Below this stop "
        "the accuracy begins to fall.", LOW_RANK, {**KEEP, "low_rank.keep": "0.15"},
        Question("Plain SVD finds the nearest weights; whitening (the scheme so far) finds the nearest outputs on "
                 "calibration data. Which one is more accurate at 6 % of the ranks?",
                 ("plain SVD", "both the same", "whitened"), 2,
                 "Whitened, by more than ten points: few ranks are enough for the directions that examples really have."),
        "Press play beside the dial and watch where the curve bends."),
    LessonStep(
        "6 % of the ranks, plain SVD",
        "Nearest weights are not nearest outputs: the plain decomposition spends ranks on directions that no example has.",
        LOW_RANK, {**KEEP, "low_rank.keep": "0.06", "low_rank.scheme": "plain"}, None,
        "Remember this accuracy, then go on."),
    LessonStep(
        "6 % of the ranks, whitened",
        "The same bytes, and more than ten points better. But drag the dial to 15 % and to 3 %: there plain SVD is as good "
        "or better. A smaller output error does not always mean a better accuracy.", LOW_RANK,
        {**KEEP, "low_rank.keep": "0.06"}, None, "The dotted line: plain SVD, measured one step ago."),
))

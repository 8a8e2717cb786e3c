"""How few bits?: 256, 3 and 2 levels, rounded to the nearest and by GPTQ, coded and not.

Measured on a CPU, seed 0 (teacher 203,216 bytes, 98.1 %): 256 levels 46,532 bytes, 98.1 %; 3 levels by GPTQ 6,011 bytes,
96.9 %, to the nearest 3,886 bytes, 58.2 %, by GPTQ without coding 15,650 bytes; 2 levels by GPTQ 8,081 bytes, 86.1 %.
`python -m compress curve --data digits --teacher mlp --method quantize`, with `--set scheme=nearest` or `--set coding=none`.
"""

from pages.ui.lessons.lesson import COMPARE, DIGITS, QUANTIZE, Lesson, LessonStep, Question

FEW = {**DIGITS, "quantize.levels": "3"}

LESSON = Lesson("how-few-bits", "How few bits?", "What weights can be rounded to, and why three levels can take fewer bytes "
                "than two.", (
    LessonStep(
        "8 bits",
        "Every weight is one of 256 levels, 8 bits in the place of 32. The file is four times smaller, and nothing is lost.",
        QUANTIZE, {**DIGITS, "quantize.levels": "256"},
        Question("Now only three levels: minus one step, zero, plus one step. Each weight gets the nearest. How accurate is "
                 "the network?", ("about 97 %", "about 80 %", "about 60 %"), 2,
                 "About 60 %: most weights become zero, and the errors of hundreds of weights add up in every output."),
        "The histogram: the 256 levels follow its shape. Drag the dial to the left: fewer levels remain."),
    LessonStep(
        "Three levels, the nearest",
        "Grey: the teacher's weights. In colour: the levels that they are rounded to. Rounding treats each weight by "
        "itself, however large its input is.", QUANTIZE, {**FEW, "quantize.scheme": "nearest"},
        Question("GPTQ has the same three levels. It rounds one input after the other, and changes the weights that are "
                 "still to be rounded so that they make up for each error. How accurate is the network then?",
                 ("about 97 %", "about 80 %", "about 60 % too"), 0,
                 "About 97 %, one point below the teacher: the same levels, chosen for the outputs and not for the "
                 "weights.")),
    LessonStep(
        "Three levels, by GPTQ",
        "No training, only calibration examples: about 97 % in a file of 6 kB, more than thirty times smaller.",
        QUANTIZE, FEW,
        Question("A choice of two levels is 1 bit, one of three 1.6 bits. Which file is smaller?",
                 ("that of two levels", "both are as large", "that of three levels"), 2,
                 "That of three levels. The file is entropy-coded: what occurs often takes few bits, and most weights are "
                 "zero. Two levels have no zero; each is used for half of the weights, and nothing can be saved."),
        "The fold *Layer by layer*: how much of the output error of rounding to the nearest GPTQ takes away."),
    LessonStep(
        "Two levels",
        "One bit a weight and no zero among the levels: 8 kB, and about 11 points fewer than with three levels. The lower "
        "number of levels is the larger file.", QUANTIZE, {**DIGITS, "quantize.levels": "2"},
        Question("Back to three levels. How large is their file without entropy coding, at 2 bits a weight?",
                 ("about 16 kB", "about 9 kB", "6 kB, as before"), 0,
                 "About 16 kB. The numbers are the same to the last bit; only how they are written differs."),
        "The fold *Where the bytes go*: coding takes almost nothing off two levels."),
    LessonStep(
        "Three levels, not coded",
        "The same network without entropy coding, 2 bits for each weight. Coding changes the file, not the network.",
        QUANTIZE, {**FEW, "quantize.coding": "none"}, None,
        "The fold *Where the bytes go*: the diamond is the theoretical entropy, the fewest bytes that coding could reach."),
    LessonStep(
        "Side by side",
        "All networks measured so far, on one plane. Quantization needs no training and keeps every weight in its place: "
        "other methods can come before it.", COMPARE, DIGITS, None,
        "No network is both smaller and more accurate than one on the line."),
))

"""The first page: what this is, and one finished curve."""

from pages.ui.frame import open_page

page = open_page("How small can this network get?", "And what does it cost? Pick a data set and a teacher network at the "
                 "left, open a method, turn its dial, and watch accuracy against the size of the real file.")

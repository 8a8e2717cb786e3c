"""What pages share. A page that is visited first may fail at its own imports: errors are told in words from here on."""

import sys

if "streamlit" in sys.modules:  # charts and words are used without it, too
    from pages.ui.shell import mishap

    mishap.catch()

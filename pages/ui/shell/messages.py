"""What the server tells a browser: nothing of a run that ended is lost where a part of the page is drawn again at once.

When a part of a page (a fragment) is drawn again, Streamlit drops what it has not sent of that part, but sends that the run
before has ended. A slow browser then removes that part, which it never heard of in that run, and the places of all parts
behind it are others: "Cannot set a node at a delta path", and the page stays as it was. So all of it is sent here, in its
order, as to a browser that is faster.
"""

from __future__ import annotations

from typing import Any

from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

STREAMLITS_OWN = ForwardMsgQueue.clear


def keep() -> None:
    """From now on, for every page and session."""
    ForwardMsgQueue.clear = _clear


def _clear(queue: Any, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None) -> None:
    if retain_lifecycle_msgs and fragment_ids_this_run:
        queue._delta_index_map = {}  # what comes is of another run: it may not stand in the place of what is there
    else:
        STREAMLITS_OWN(queue, retain_lifecycle_msgs, fragment_ids_this_run)

"""Roadmap Monitor: watches government news for the topics of the U.S.-Canada Partnership Roadmap.

The packages read in the order of the flow: ``polling`` brings items in, ``matching`` finds their topics,
``store`` keeps both, ``digests`` chooses and renders what a subscriber gets, ``delivery`` sends it.
``tasks`` names the units of work; ``runners`` run them; ``web`` and ``cli`` are the doors.
"""

from importlib.metadata import version

__version__ = version("roadmap-monitor")

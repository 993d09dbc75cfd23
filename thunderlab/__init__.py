"""Thunderlab: a notebook-driven research workbench for emergent systems, with evidence.

>>> import thunderlab
>>> thunderlab.__version__
'0.1.0'

`with thunderlab.open() as lab:` is the one way in; nothing heavy is imported before it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thunderlab.lab import Lab

__version__ = "0.1.0"
__all__ = ["Lab", "__version__", "open"]


def open(path: str | os.PathLike[str] | None = None) -> Lab:  # noqa: A001 - `thunderlab.open` reads as it should
    """Open a workspace and return the lab, as a context manager.

    Args:
        path: the workspace folder, made on first use. None: the environment's THUNDERLAB_WORKSPACE, else the nearest
            `.thunderlab` upward, else `.thunderlab` in the project's root.
    """
    from thunderlab.lab import Lab

    return Lab(path)


def __getattr__(name: str) -> object:
    if name == "Lab":
        from thunderlab.lab import Lab

        return Lab
    raise AttributeError(f"module 'thunderlab' has no attribute {name!r}")

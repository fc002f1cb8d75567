"""The version of this package, stated here and nowhere else."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"

"""`python -m jibble_async.cli`, the same as `jibble`."""

from __future__ import annotations

import sys

from jibble_async.cli import main

sys.exit(main())

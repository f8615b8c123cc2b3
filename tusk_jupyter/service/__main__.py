"""`python -m tusk_jupyter.service`: started by the first client, by nobody else."""

from __future__ import annotations

import os
import sys

from tusk_jupyter.service.lifecycle import run

if __name__ == "__main__":
    code = run(report="--report" in sys.argv[1:])
    os._exit(code)  # at once: threads of a core that did not come up have nothing to finish

"""`python -m tusk_jupyter.service`: started by the first client, by nobody else."""

from __future__ import annotations

from tusk_jupyter.service.lifecycle import run

if __name__ == "__main__":
    run()

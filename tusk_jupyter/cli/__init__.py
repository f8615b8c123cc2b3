"""The verbs of `tusk VERB` and `%tusk VERB`: one click group, one module per noun, loaded when its verb is used."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrongly asked, 130 interrupted."""
    import os

    from tusk_jupyter.cli.terminal import run_process

    status = run_process()
    # What is done is done in the core. An interpreter that ends while Flight's threads wait for that may crash (seen once in
    # a few hundred commands: all was printed, and the exit status said failure).
    os._exit(status)

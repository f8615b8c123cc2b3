"""The verbs of `tusk VERB` and `%tusk VERB`: one click group, one module per noun, loaded when its verb is used."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrongly asked, 130 interrupted."""
    import sys

    from tusk_jupyter.cli.terminal import run_command_line

    sys.exit(run_command_line(sys.argv[1:]))

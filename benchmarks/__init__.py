"""Speed and memory of this project beside its peers, alternating in one run: `make bench`.

`databases` makes the same table on four engines; `peers` are the ways to read it, each run in a fresh process by
`child`; `measure` alternates them; `kernels` times what needs a real kernel; `results` holds the numbers against their
targets; `report` writes RESULTS.md.
"""

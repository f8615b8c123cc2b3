"""Who is attached, and where their notebooks are by now."""

from tusk_jupyter.service.clients import KERNELS, Clients


def test_of_kernels_without_end_the_latest_are_known():
    """A core lives for months; what it keeps of each kernel would grow for as long."""
    clients = Clients()
    clients.locate("first", "/work/first.ipynb")
    clients.locate("second", "/work/second.ipynb")
    clients.locate("first", "/work/renamed.ipynb")
    for number in range(KERNELS - 1):
        clients.locate(f"kernel {number}", "/work/other.ipynb")
    assert clients.touch("one", source="/work/old.ipynb", kernel="first").source == "/work/renamed.ipynb"
    assert clients.touch("two", source="/work/old.ipynb", kernel="second").source == "/work/old.ipynb"

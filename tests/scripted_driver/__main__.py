import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tusk_jupyter.driverkit.cli import main

main(package="scripted_driver")

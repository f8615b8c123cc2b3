"""What the front end's modules return, asked in Node."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "widgets" / "labextension"


def in_typescript(module: str, expression: str, argument: object = None) -> object:
    """Return what an expression of a module's functions gives, or promises; `m` is the module, `a` the argument."""
    environment = {**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    bundle = subprocess.run(
        [FRONTEND / "node_modules" / ".bin" / "esbuild", f"src/{module}.ts", "--bundle", "--format=cjs", "--platform=node"],
        cwd=FRONTEND, capture_output=True, text=True, check=True, env=environment,
    ).stdout  # fmt: skip
    script = (
        f"{bundle}\nconst m = module.exports, a = {json.dumps(argument)};\n"
        f"Promise.resolve({expression}).then(found => console.log(JSON.stringify(found)));"
    )
    done = subprocess.run(["node", "-"], input=script, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout)

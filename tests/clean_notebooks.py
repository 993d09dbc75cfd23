"""Strip the committed notebooks: outputs and counts go, except in cells tagged `nbval-check-output`, whose text nbval compares.

`python tests/clean_notebooks.py` rewrites them; with `--check` it only says which are not clean, and exits 1.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"


def cleaned(text: str) -> str:
    """Return a notebook's text as it is to be committed."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        tags = cell["metadata"].get("tags", [])
        cell["metadata"] = {"tags": tags} if tags else {}
        if cell["cell_type"] == "code":
            kept = "nbval-check-output" in tags
            cell["execution_count"] = 1 if kept else None
            cell["outputs"] = cell["outputs"] if kept else []
    notebook["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> int:
    """Clean or check every notebook; return the exit code."""
    dirty = [path for path in sorted(FOLDER.glob("*.ipynb")) if cleaned(path.read_text()) != path.read_text()]
    for path in dirty:
        if "--check" in sys.argv:
            print(f"{path.name}: not clean; run: make format")
        else:
            path.write_text(cleaned(path.read_text()))
    return int(bool(dirty) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())

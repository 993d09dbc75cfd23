"""`policy check`: read, hold against the schema, run the tests that lie beside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from thunderlab.errors import InputError
from thunderlab.faces.cli.answer import status, table

if TYPE_CHECKING:
    from thunderlab.policy.text.source import Problem, Source

SCHEMAS = (".cedarschema", ".cedarschema.json")


def check_all(paths: Sequence[Path], schema: Path | None) -> dict[str, Any]:
    """Return what was checked: `ok`, and per policy set its digest, its policies and how its tests went.

    Args:
        paths: files, which make one policy set together, and folders, each one of its own.
        schema: a schema instead of theirs.

    Raises:
        InputError: for the first thing that is wrong, naming file, line and policy, and how many there are.
    """
    from thunderlab.policy.record.loaded import read_source

    sets = [_check(path, read_source(path, schema)) for path in paths if path.is_dir()]
    singles = [path for path in paths if not path.is_dir()]
    if singles:
        sets.append(_check(None, _read_files(singles, schema), singles))
    return {"ok": not any(found["failed"] for found in sets), "problems": [], "policy_sets": sets}


def _read_files(paths: Sequence[Path], schema: Path | None) -> Source:
    """Return the policy set that files make together, with the schema among them unless another is given."""
    from thunderlab.policy.text.source import read_files

    schemas = [path for path in paths if path.name.endswith(SCHEMAS)]
    texts = [path for path in paths if path not in schemas]
    if len(schemas) > 1:
        raise InputError(f"is a second schema beside {schemas[0]}; one is accepted", where=schemas[1])
    if not texts:
        raise InputError("is a schema; name policies to hold against it, too", where=schemas[0])
    return read_files(texts, schema or (schemas[0] if schemas else None))


def _check(folder: Path | None, source: Source, files: Sequence[Path] = ()) -> dict[str, Any]:
    from thunderlab.policy.record.expectations import find_tests, run_tests
    from thunderlab.policy.record.loaded import Loaded, folder_entities
    from thunderlab.policy.text.source import problems

    _refuse_problems(problems(source), {path.name: path for path in files} if folder is None else {}, folder)
    name = str(folder) if folder is not None else ", ".join(name for name, _ in source.texts)
    loaded = Loaded(source, name, folder_entities(folder) if folder is not None else ())
    tests = find_tests(folder) if folder is not None else None
    tested = None if tests is None else run_tests(tests, loaded)
    return {
        "name": name,
        "policy_set": loaded.digest,
        "policies": [place._asdict() for place in source.places],
        "validated": source.schema is not None,
        "tests": tested.tests if tested else 0,
        "failed": [{"file": tested.file, **msgspec.to_builtins(one)} for one in tested.unmet] if tested else [],
    }


def _refuse_problems(found: Sequence[Problem], files: dict[str, Path], folder: Path | None) -> None:
    """Refuse a policy set by the first of its problems."""
    if not found:
        return
    first, more = found[0], len(found) - 1
    where = folder / first.file if folder is not None else files.get(first.file, first.file)
    raise InputError(
        f"{first.message}{f' (and {more} more like this)' if more else ''}", where=where, field=f"line {first.line}: policy {first.policy}"
    )


def check_text(found: dict[str, Any]) -> str:
    """Return what was checked for people."""
    rows = []
    for one in found["policy_sets"]:
        held = "fits its schema" if one["validated"] else "no schema"
        tested = f"{one['tests'] - len(one['failed'])} of {one['tests']} tests" if one["tests"] else "no tests"
        rows.append((status("failed" if one["failed"] else "ok"), one["name"], len(one["policies"]), held, tested, one["policy_set"][:12]))
    failed = [(test["file"], test["line"], test["name"], test["detail"]) for one in found["policy_sets"] for test in one["failed"]]
    parts = [table(["", "policies", "count", "schema", "tests", "digest"], rows)]
    return "\n\n".join([*parts, *([table(["file", "line", "test", "what differs"], failed)] if failed else [])])

"""The rules of docs/architecture.md that a program can check; each finding is a line `path: what is wrong`."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.support.scope_linter import statement_makers, unscoped_statements

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "domain", "db", "auth", "services", "loaders", "repositories", "resolvers", "schema", "transport", "commands",
)  # fmt: skip
CLIENTS = ("queries", "web")
MOST_LINES = 300

# Generated files, migrations, which do not change any more, and libraries of others.
_SCALARS = {"str", "int", "float", "bool", "strawberry.ID", "dt.date", "dt.datetime"}
_GENERATED = re.compile(r"^(db/migrations/versions/|schema/schema\.graphql$|schema/released/|web/vendor/)")
_CODE = {".py", ".graphql", ".css", ".js", ".mjs", ".html", ".sh"}
_OPENINGS = {
    ".py": ('"""', "#"),
    ".graphql": ("#", '"""'),
    ".css": ("/*",),
    ".js": ("//", "/*"),
    ".mjs": ("//", "/*"),
    ".toml": ("#",),
    ".yml": ("#",),
    ".yaml": ("#",),
    # A guide begins with its front matter.
    ".md": ("# ", "---"),
}
# Written in halves, so that this file does not contain them itself.
_ELSEWHERE = re.compile(
    "|".join(
        re.escape("".join(halves))
        for halves in (
            ("py", "pi.org"), ("python", "hosted.org"), ("npm", "js.org"), ("yarn", "pkg.com"), ("crates", ".io/"),
            ("deb.", "debian.org"), ("/opt", "/pypi"), ("/work", "/main"), ("/work", "/shared"), ("/work", "/."),
            ("/ro", "ot/"), ("/tmp", "/wm"),
        )
    )
)  # fmt: skip

_ADDRESS = re.compile(r"https?://[^\s\"']+")


def files(root: Path = ROOT) -> list[str]:
    """Returns the repository's files, those not yet added included, as paths from its root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True)
    return sorted(path for path in os.fsdecode(listed.stdout).split("\0") if path and (root / path).is_file())


def python_files(paths: Iterable[str], *packages: str) -> list[str]:
    """Returns the Python files in one of the packages."""
    return [path for path in paths if path.endswith(".py") and path.split("/")[0] in packages]


def imports(source: str) -> set[str]:
    """Returns the top-level names of everything that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module.split(".")[0])
    return found


def import_contracts(root: Path) -> list[str]:
    """Returns import-linter's report on the packages under `root`, if a contract of pyproject.toml is broken."""
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()",
         "--no-cache", "--no-logo", "--config", str(ROOT / "pyproject.toml")],
        cwd=root, env={**os.environ, "PYTHONPATH": str(root), "NO_COLOR": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    return [] if run.returncode == 0 else [run.stdout + run.stderr]


def broken_imports(root: Path, paths: list[str]) -> list[str]:
    """Finds forbidden imports that import-linter does not see: outside the packages, in folders without __init__.py."""
    found = []
    for path in python_files(paths, *CLIENTS):
        for name in sorted(imports((root / path).read_text()) & {*PACKAGES, "server", "tests"}):
            found.append(f"{path}: a client reaches the server over HTTP only, and imports {name}")
    for path in [path for path in paths if path == "server.py"]:
        # Reports are the same files whether a client makes them or the server.
        source = (root / path).read_text().replace("from queries.served import", "from served import")
        for name in sorted(imports(source) & {*CLIENTS, "tests"}):
            found.append(f"{path}: imports {name}")
    for folder in sorted({Path(path).parent for path in python_files(paths, *PACKAGES)}):
        # Alembic loads its scripts by their path.
        if "migrations" not in folder.parts and f"{folder.as_posix()}/__init__.py" not in paths:
            found.append(f"{folder}: no __init__.py, so import-linter reads none of it")
    return found


def untitled(root: Path, paths: list[str]) -> list[str]:
    """Finds files whose first line does not say what they contain (in a script, the line after `#!`)."""
    found = []
    for path in paths:
        suffix = Path(path).suffix or (".toml" if path.startswith(("scripts/", ".ci/")) else "")
        if suffix not in _OPENINGS or _GENERATED.match(path):
            continue
        lines = (root / path).read_text().splitlines() or [""]
        first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        if not first.startswith(_OPENINGS[suffix]) or len(first.strip("\"'#/* ")) < 3 and first != "---":
            found.append(f"{path}: the first line does not say what the file contains")
    return found


def too_long(root: Path, paths: list[str]) -> list[str]:
    """Finds source files with more than 300 lines."""
    counted = (
        (path, len((root / path).read_text().splitlines()))
        for path in paths
        if Path(path).suffix in _CODE and not _GENERATED.match(path)
    )
    return [f"{path}: {count} lines, more than {MOST_LINES}" for path, count in counted if count > MOST_LINES]


def stray_selects(root: Path, paths: list[str]) -> list[str]:
    """Finds selects outside `db/`, `auth/`, `services/`, `loaders/` and `repositories/`."""
    found = []
    elsewhere = ("domain", "resolvers", "schema", "transport", "commands")
    for path in python_files(paths, *elsewhere) + [path for path in paths if path == "server.py"]:
        tree = ast.parse((root / path).read_text())
        makers = statement_makers(tree, {"select", "text"}) | {"select"}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in makers:
                allowed = "db/, auth/, services/, loaders/ and repositories/"
                found.append(f"{path}: line {call.lineno}: {name}( is allowed in {allowed} only")
    return found


_STATEMENTS = re.compile(r"\b(Compound)?Select\b|\bCTE\b|\bSubquery\b|(Insert|Update|Delete)\b")


def built_on_the_loop(root: Path, paths: list[str]) -> list[str]:
    """Returns each function whose statements a cache keeps that is not `cached_statement`: it would build them."""
    found = []
    for path in python_files(paths, *PACKAGES):
        for node in ast.walk(ast.parse((root / path).read_text())):
            if isinstance(node, ast.FunctionDef) and node.returns and _STATEMENTS.search(ast.unparse(node.returns)):
                kept = [ast.unparse(each) for each in node.decorator_list if "cache" in ast.unparse(each)]
                if kept not in ([], ["cached_statement"]):
                    found.append(f"{path}: {node.name} is kept by {kept[0]}")
    return found


def async_leaves(root: Path, paths: list[str]) -> list[str]:
    """Finds fields of `schema/types/` with a scalar, an enum or a list of them that a coroutine resolves.

    A coroutine costs a task for each object; a loader's future, or `map_future` of it, costs none.
    """
    found = []
    for path in (path for path in python_files(paths, "schema") if path.startswith("schema/types/")):
        tree = ast.parse((root / path).read_text())
        coroutines = {node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}
        enums = {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.module == "schema.enums"
            for alias in node.names
        }
        fields = (
            node for cls in tree.body if isinstance(cls, ast.ClassDef) for node in cls.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Call)
        )  # fmt: skip
        for field in fields:
            names = set(re.findall(r"[\w.]+", ast.unparse(field.annotation))) - {"list", "None"}
            resolvers = {node.id for node in ast.walk(field.value) if isinstance(node, ast.Name)}
            if names <= _SCALARS | enums and resolvers & coroutines:
                found.append(f"{path}: line {field.lineno}: a coroutine resolves a leaf")
    return found


def unscoped(root: Path, paths: list[str]) -> list[str]:
    """Finds statements of loaders and repositories over personal data that have neither a scope nor a reason."""
    return [
        f"{path}: {finding}"
        for path in python_files(paths, "loaders", "repositories")
        for finding in unscoped_statements((root / path).read_text())
    ]


_EVENT = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_LOGGERS = {"log", "_log", "_logger", "structlog.get_logger()"}
_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def log_events(root: Path, paths: list[str]) -> list[str]:
    """Finds log events that are not named in lower case with underscores, as a search of the log expects them."""
    found = []
    for path in python_files(paths, *PACKAGES, "export_worker.py", "server.py"):
        for node in ast.walk(ast.parse((root / path).read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=logger, attr=level), args=[ast.Constant(value=str(event)), *_]):
                    if level in _LEVELS and ast.unparse(logger) in _LOGGERS and not _EVENT.fullmatch(event):
                        found.append(f'{path}: line {node.lineno}: the log event "{event}" is no name')
    return found


def addresses(root: Path, paths: list[str]) -> list[str]:
    """Finds registry hosts and paths of a developer's machine, and in a lock file any address."""
    found = []
    for path in paths:
        text = (root / path).read_bytes().decode("utf-8", "ignore")
        found += [f"{path}: names {match}" for match in sorted(set(_ELSEWHERE.findall(text)))]
        if path.endswith((".lock", "package-lock.json")):
            found += [f"{path}: names {match}" for match in sorted(set(_ADDRESS.findall(text)))]
    return found


def undeclared(root: Path, paths: list[str], project: str) -> list[str]:
    """Finds imports of libraries that pyproject.toml does not name and that only another library installs."""
    read = tomllib.loads(project)
    extras = sum(read["project"].get("optional-dependencies", {}).values(), [])
    runtime = {_library(dependency) for dependency in read["project"]["dependencies"] + extras}
    tests = runtime | {_library(dependency) for dependency in read["dependency-groups"]["dev"]}
    ours = {*PACKAGES, *CLIENTS, "server", "tests"}
    libraries, found = packages_distributions(), []
    for path in [*python_files(paths, *ours), *(path for path in paths if path == "server.py")]:
        declared = tests if path.startswith("tests/") else runtime
        for name in sorted(imports((root / path).read_text()) - ours - set(sys.stdlib_module_names)):
            if not declared & {_library(library) for library in libraries.get(name, [name])}:
                found.append(f"{path}: imports {name}, which pyproject.toml does not name for it")
    return found


def _library(requirement: str) -> str:
    """Returns the normalised name of a requirement."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def unlocked(project: str, lock: str) -> list[str]:
    """Finds differences between pyproject.toml and requirements.lock, and entries without exact version or hash."""
    read = tomllib.loads(project)
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))
    hashed = set(re.findall(r"^([\w.-]+)==.*\\\n +--hash=", lock, re.MULTILINE))
    found = [f"requirements.lock: no hash for {name}" for name in pins if name not in hashed]
    for dependency in read["project"]["dependencies"] + read["dependency-groups"]["dev"]:
        match = re.match(r"([\w.-]+)(?:\[[^]]*\])?==([\w.]+)", dependency)
        if match is None:
            found.append(f"pyproject.toml: {dependency} has no exact version")
        elif pins.get(_library(match[1])) != match[2]:
            found.append(f"requirements.lock: not {match[1]} {match[2]}; run scripts/lock")
    return found

"""Finds what documentation pages name and the repository does not have.

Inline code is read as a path (`auth/scope.py`, `db/models/<entity>.py`), a test (`tests/a/test_b.py::test_c`), a dotted
name (`domain.clock.now`, `UnitOfWork.audit`, `Kpis.aheadCount`) or an identifier (`unitSignatures`). Links, anchors,
scripts and commands of server.py are read everywhere on a page. Each finding is a line `page: what is wrong`.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, build_schema

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"\]\(([^)\s:]+)\)")
_CALL = re.compile(r"([\w.]+)\(.*\)", re.DOTALL)
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.\w+)+")
_IDENTIFIER = re.compile(r"\w*[a-z0-9][A-Z]\w*|\w+_\w+")
_ID = re.compile(r"([A-Z][A-Za-z]*)_\d+(\.\d+)?")
# The settings whose names are fields of a class: transport.limits.Limits, services.quotas.Quotas.
_FIELD_SETTING = re.compile("WAYMARK_(LIMIT|QUOTA)_")
_MEDIA_TYPE = re.compile(r"(application|image|text)/")
# Folders that exist where Waymark runs, not in the repository.
_GENERATED = ("var/", ".venv/")
_SUFFIXES = {"css", "graphql", "html", "js", "json", "lock", "md", "mjs", "py", "sql", "toml", "yaml"}
_SOURCE = {".css", ".graphql", ".html", ".js", ".json", ".mjs", ".py", ".toml", ".typ", ".yaml", ".yml", ""}


class Tree:
    """The files of a repository and the names that they define. `paths` are relative to `root`."""

    def __init__(self, root: Path, paths: Iterable[str], commands: Iterable[str] = ()) -> None:
        self.root = root
        self.paths = set(paths)
        self.folders = {parent.as_posix() for path in self.paths for parent in Path(path).parents}
        self.commands = set(commands)

    @cached_property
    def source(self) -> str:
        """The text of every source file, without documentation pages and lock files."""
        read = [
            path
            for path in sorted(self.paths)
            if Path(path).suffix in _SOURCE and not path.startswith("docs/") and not path.endswith("-lock.json")
        ]
        return "\n".join((self.root / path).read_text(errors="ignore") for path in read)

    @cached_property
    def words(self) -> set[str]:
        """Every identifier in the source."""
        return set(re.findall(r"\w+", self.source))

    @cached_property
    def classes(self) -> dict[str, list[ast.ClassDef]]:
        """The classes of the Python files outside tests, by name."""
        found: dict[str, list[ast.ClassDef]] = {}
        for path in sorted(self.paths):
            if path.endswith(".py") and not path.startswith("tests/"):
                for node in ast.walk(ast.parse((self.root / path).read_text())):
                    if isinstance(node, ast.ClassDef):
                        found.setdefault(node.name, []).append(node)
        return found

    @cached_property
    def graph_fields(self) -> dict[str, set[str]]:
        """The fields of each type of the GraphQL schema."""
        if "schema/schema.graphql" not in self.paths:
            return {}
        types = build_schema((self.root / "schema/schema.graphql").read_text()).type_map
        kinds = (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType)
        return {name: set(type_.fields) for name, type_ in types.items() if isinstance(type_, kinds)}

    def has_path(self, path: str) -> bool:
        """Whether a file or folder has that path; `*` and `<word>` stand for any part of a name."""
        pattern = re.sub(r"<\w+>", "*", path.rstrip("/"))
        if "*" in pattern:
            return any(fnmatch(each, pattern) for each in self.paths)
        return pattern in self.paths or pattern in self.folders

    def has_name(self, parts: list[str]) -> bool:
        """Whether a module has a name: `["domain", "clock", "now"]`."""
        for length in range(len(parts), 0, -1):
            module = "/".join(parts[:length])
            for path in (f"{module}.py", f"{module}/__init__.py"):
                if path in self.paths:
                    return self._defines(ast.parse((self.root / path).read_text()), parts[length:])
        return "/".join(parts) in self.folders

    def has_member(self, class_name: str, parts: list[str]) -> bool:
        """Whether a class of that name, or a base of it, has a member."""
        return any(
            self._defines(node, parts)
            or any(self.has_member(base.id, parts) for base in node.bases if isinstance(base, ast.Name))
            for node in self.classes.get(class_name, [])
        )

    def _defines(self, node: ast.AST, parts: list[str]) -> bool:
        if not parts:
            return True
        for name, value in _members(node):
            if name == parts[0]:
                if len(parts) == 1:
                    return True
                return self._defines(value, parts[1:]) if value is not None else self.has_member(name, parts[1:])
        return False


def _members(node: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    """The names that a module or class defines; imported names and variables without a node."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield child.name, child
                if isinstance(node, ast.ClassDef):
                    yield from _attributes_set_in(child)
            case ast.ClassDef():
                yield child.name, child
            case ast.Assign():
                yield from ((target.id, None) for target in child.targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name, None
            case ast.Import() | ast.ImportFrom():
                yield from ((alias.asname or alias.name, None) for alias in child.names)


def _attributes_set_in(method: ast.AST) -> Iterator[tuple[str, None]]:
    for node in ast.walk(method):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, None


def broken_references(tree: Tree, pages: Iterable[str]) -> list[str]:
    """Returns the names in the pages that the repository does not have."""
    found = (f"{page}: {finding}" for page in pages for finding in _broken(tree, page, (tree.root / page).read_text()))
    return list(dict.fromkeys(found))


def _broken(tree: Tree, page: str, text: str) -> Iterator[str]:
    folder = Path(page).parent
    for target in _LINK.findall(text):
        yield from _broken_link(tree, page, target)
    for script in sorted(set(re.findall(r"(?<![\w/])scripts/[\w-]+", text))):
        if not tree.has_path(script):
            yield f"there is no `{script}`"
    for command in sorted(set(re.findall(r"(?:server\.py|waymark-server) ([a-z][a-z-]+)", text)) - tree.commands):
        yield f"server.py has no command {command}"
    for code in _CODE.findall(_FENCE.sub("", text)):
        token = " ".join(code.split())
        if not _exists(tree, folder, token):
            yield f"there is no `{token}`"


def _broken_link(tree: Tree, page: str, target: str) -> Iterator[str]:
    path, _, anchor = target.partition("#")
    linked = (Path(page).parent / path).as_posix() if path else page
    linked = re.sub(r"(^|/)(?!\.\.)[^/]+/\.\./", r"\1", linked)
    if not tree.has_path(linked):
        yield f"the link to {target} leads nowhere"
    elif anchor and anchor not in _anchors((tree.root / linked).read_text()):
        yield f"the link to {target} leads to no heading"


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _exists(tree: Tree, folder: Path, token: str) -> bool:
    """Returns whether an inline code exists, if it names something of the repository; otherwise True."""
    if call := _CALL.fullmatch(token):
        token = call[1]
    path, separator, test = token.partition("::")
    if separator:
        return path in tree.paths and tree.has_name([*path.removesuffix(".py").split("/"), test])
    if re.search(r"[^\w./*<>-]", token) or token.startswith(("/", ".")) or _MEDIA_TYPE.match(token):
        return True
    if id := _ID.fullmatch(token):
        return id[1] in tree.graph_fields
    if token.startswith("WAYMARK_"):
        # A setting, or a path below the folder that it names.
        setting = token.split("/")[0]
        return setting in tree.words or _FIELD_SETTING.sub("", setting).lower() in tree.words
    if "/" in token:
        return token.startswith(_GENERATED) or tree.has_path(token) or tree.has_path((folder / token).as_posix())
    if _DOTTED.fullmatch(token):
        return _dotted_exists(tree, token)
    return not _IDENTIFIER.fullmatch(token) or token in tree.words


def _dotted_exists(tree: Tree, token: str) -> bool:
    head, *rest = token.split(".")
    if rest[-1] in _SUFFIXES:
        return any(path == token or path.endswith(f"/{token}") for path in tree.paths) or token in tree.source
    if head in tree.graph_fields or head in tree.classes:
        return rest[0] in tree.graph_fields.get(head, ()) or tree.has_member(head, rest)
    if head in tree.folders or f"{head}.py" in tree.paths:
        return tree.has_name([head, *rest])
    # A path of fields (`pageInfo.endCursor`), a username of the demo, a name of another project.
    return token in tree.source or tree.words.issuperset([head, *rest])

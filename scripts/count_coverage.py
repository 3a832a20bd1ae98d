"""Counts executed lines and branches of contracts/src from forge's lcov file: see contracts/coverage.toml."""

import re
import sys
import tomllib
from pathlib import Path

LINES, BRANCHES = 100.0, 98.0


def parse(path):
    """For each file: hits of its lines, of its branches and of its functions (by first line)."""
    files, current = {}, None
    names = {}
    for text in Path(path).read_text(encoding="utf-8").splitlines():
        kind, _, rest = text.partition(":")
        if kind == "SF":
            current = files.setdefault(rest, {"lines": {}, "branches": [], "functions": {}})
            names = {}
        elif kind == "FN":
            line, name = re.match(r"(\d+),(?:\d+,)?(.*)", rest).groups()
            names.setdefault(name, []).append(int(line))
            current["functions"].setdefault(int(line), 0)
        elif kind == "FNDA":
            hits, name = rest.split(",", 1)
            for line in names[name]:
                current["functions"][line] = max(current["functions"][line], int(hits))
        elif kind == "DA":
            line, hits = rest.split(",")[:2]
            current["lines"][int(line)] = max(current["lines"].get(int(line), 0), int(hits))
        elif kind == "BRDA":
            line, _, _, hits = rest.split(",")
            current["branches"].append((int(line), 0 if hits == "-" else int(hits)))
    return files


def assembly_lines(source):
    """Numbers of the lines within `assembly { … }`."""
    found = set()
    for match in re.finditer(r"\bassembly\b[^{\n]*\{", source):
        depth, end = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(source[end], 0)
            end += 1
        found.update(range(source[: match.end()].count("\n") + 1, source[:end].count("\n") + 2))
    return found


def main():
    lcov, explained = sys.argv[1:]
    table = tomllib.loads(Path(explained).read_text(encoding="utf-8"))
    known = {(one["file"], one["line"]): one for one in table["executed"]}
    used, missed, failed = set(), [], False
    print("| contract | lines that forge counts | with those it cannot count | branches |\n|---|---:|---:|---:|")
    for file, data in sorted(parse(lcov).items()):
        if not file.startswith("contracts/src/") or "/interfaces/" in file:
            continue
        source = Path(file).read_text(encoding="utf-8")
        text = source.split("\n")
        assembly = assembly_lines(source)

        def executed(line):
            name = (Path(file).stem, text[line - 1].strip())
            if name in known:
                used.add(name)
                return True
            # Functions within assembly have no counters either.
            starts = (first for first in data["functions"] if first <= line and first not in assembly)
            function = max(starts, default=None)
            return line in assembly and function is not None and data["functions"][function] > 0

        lines = {line: hits > 0 for line, hits in data["lines"].items()}
        counted = {line: hit or executed(line) for line, hit in lines.items()}
        branches = [hits > 0 or (Path(file).stem, text[line - 1].strip()) in known for line, hits in data["branches"]]
        used.update((Path(file).stem, text[line - 1].strip()) for line, hits in data["branches"] if hits == 0)
        missed += [f"{file}:{line}: {text[line - 1].strip()}" for line, hit in counted.items() if not hit]
        missed += [f"{file}:{line}: a branch" for (line, _), hit in zip(data["branches"], branches) if not hit]
        line_share = 100 * sum(counted.values()) / len(counted)
        branch_share = 100 * sum(branches) / len(branches) if branches else 100.0
        failed |= line_share < LINES or branch_share < BRANCHES
        print(
            f"| {Path(file).stem} | {sum(lines.values())} of {len(lines)} | {sum(counted.values())} of {len(counted)}"
            f" ({line_share:.1f} %) | {sum(branches)} of {len(branches)} ({branch_share:.1f} %) |"
        )
    stale = [f"{file}: {line}" for (file, line) in known if (file, line) not in used]
    for one in missed:
        print(f"not executed: {one}")
    for one in stale:
        print(f"counted by forge by now, or gone; take it out of {explained}: {one}")
    sys.exit(1 if failed or stale else 0)


if __name__ == "__main__":
    main()

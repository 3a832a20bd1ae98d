"""Writes the mutants of one source file as JSON lines: {"operator", "line", "start", "end", "old", "new"}, offsets in bytes.

The operators are slither-mutate's own, all of them, applied to every statement; ASM is ours, because slither-mutate changes
assembly only by deleting statements: one instruction is replaced by its neighbour, or one number becomes one greater.
"""

import json
import re
import sys
from pathlib import Path

from slither import Slither
from slither.tools.mutator.mutators import all_mutators
from slither.tools.mutator.mutators.abstract_mutator import AbstractMutator

# Instruction of assembly, and what it is replaced by.
INSTRUCTIONS = {
    "add": "sub", "sub": "add", "mul": "add", "mulmod": "addmod", "and": "or", "or": "and", "xor": "or", "shl": "shr",
    "shr": "shl", "lt": "gt", "gt": "lt", "eq": "lt", "iszero": "not", "not": "iszero", "mstore8": "mstore",
}


def mutators():
    """slither-mutate's operators, by name."""
    for name in sorted(dir(all_mutators)):
        mutator = getattr(all_mutators, name)
        if isinstance(mutator, type) and issubclass(mutator, AbstractMutator) and mutator is not AbstractMutator:
            yield mutator


def of_slither(slither, path):
    """Mutants of every contract, library and modifier that stands in the file."""
    for unit in slither.compilation_units:
        for contract in unit.contracts:
            if Path(contract.source_mapping.filename.absolute) != path or contract.is_interface:
                continue
            for mutator in mutators():
                one = mutator(unit, 0, "", "", contract, None, False, Path("/nonexistent"), [], 100)
                try:
                    found = one._mutate().get("patches", {})
                except (IndexError, AttributeError) as error:
                    # As slither-mutate does: the operator is left out for this contract, and it says so.
                    print(f"mutants: {mutator.NAME} fails on {contract.name}: {error}", file=sys.stderr)
                    continue
                for patches in found.values():
                    for patch in patches:
                        yield mutator.NAME, patch["line_number"], patch["start"], patch["end"], patch["new_string"]


def blocks_of_assembly(source):
    """The byte ranges between the braces of `assembly { … }`."""
    for match in re.finditer(rb"\bassembly\b[^{]*\{", source):
        depth, end = 1, match.end()
        while depth:
            depth += {ord("{"): 1, ord("}"): -1}.get(source[end], 0)
            end += 1
        yield match.end(), end - 1


def of_assembly(source):
    for start, end in blocks_of_assembly(source):
        # Comments become blanks of the same length.
        code = re.sub(rb"//[^\n]*", lambda comment: b" " * len(comment[0]), source[start:end])
        for match in re.finditer(rb"\b([a-z][a-z0-9]*)\(|\b(0x[0-9a-f]+|[0-9]+)\b", code):
            if match[1]:
                new = INSTRUCTIONS.get(match[1].decode())
                at = match.span(1)
            else:
                new = str(int(match[2], 0) + 1)
                at = match.span(2)
            if new:
                yield "ASM", source[: start + at[0]].count(b"\n") + 1, start + at[0], start + at[1], new


def main():
    root, out, file = sys.argv[1:]
    path = (Path(root) / file).resolve()
    source = path.read_bytes()
    slither = Slither(
        root, ignore_compile=True, foundry_out_directory=out, foundry_build_info_directory=out + "/build-info"
    )
    seen = {source}
    found = list(of_slither(slither, path)) + list(of_assembly(source))
    for operator, line, start, end, new in sorted(found, key=lambda mutant: (mutant[2], mutant[0], mutant[4])):
        mutated = source[:start] + new.encode() + source[end:]
        if mutated in seen:
            continue
        seen.add(mutated)
        old = source[start:end].decode()
        print(json.dumps({"operator": operator, "line": line, "start": start, "end": end, "old": old, "new": new}))


if __name__ == "__main__":
    main()

"""Compares slither's findings of high and medium impact with those that contracts/slither.toml explains."""

import json
import sys
import tomllib
from collections import Counter


def place(finding):
    """`detector Contract.function(…)` or the like for a variable: what does not change when lines move."""
    element = finding["elements"][0]
    parts = []
    while element:
        fields = element.get("type_specific_fields", {})
        if element["name"]:
            parts.insert(0, fields.get("signature", element["name"]))
        element = fields.get("parent")
    return f"{finding['check']} {'.'.join(parts)}"


def main():
    found_in, explained_in = sys.argv[1:]
    with open(found_in, encoding="utf-8") as file:
        text = file.read()
    if not text:
        sys.exit("slither did not run")
    result = json.loads(text)
    if not result["success"]:
        sys.exit(result["error"])
    findings = [one for one in result["results"].get("detectors", []) if one["impact"] in ("High", "Medium")]
    with open(explained_in, "rb") as file:
        reasons = {one["finding"]: one for one in tomllib.load(file).get("explained", [])}

    counts = Counter(place(one) for one in findings)
    new = [one for one in findings if counts[place(one)] > reasons.get(place(one), {}).get("count", 0)]
    stale = [name for name, one in reasons.items() if counts[name] < one["count"] or not one["reason"]]
    for one in new:
        print(f"new: {one['impact']}: {place(one)}\n{one['description']}")
    for name in stale:
        print(f"explained {reasons[name]['count']} times but found {counts[name]} times: {name}")
    print(f"{len(findings)} findings of high or medium impact, {len(new)} of them new, {len(stale)} explanations out of date")
    sys.exit(1 if new or stale else 0)


if __name__ == "__main__":
    main()

"""Compares our settlement of Pabulib files with that of pabutools. Started by scripts/compare-pabutools.

Four comparisons for each file:
  greedy   descending support. pabutools divides satisfaction by cost, so each project's satisfaction must be its cost times
           its support: Cost_Sat on approval ballots, the same with points on cumulative ones.
  bare     equal shares without completion. Utility: Cost_Sat on approval, Additive_Cardinal_Sat (points) on cumulative.
  raise    the same repeated with shares raised by 1 % of the first share, until the next outcome would cost too much.
  full     raise, then greedy from there.
Told to pabutools besides: our order of ties, and to leave out projects that our rule leaves out from the beginning (no
support, support below the threshold, dearer than the budget) and empty ballots.

pabutools has a raise of its own (voter_budget_increment) which stops once no further project fits, while ours goes on,
because a later step may swap projects and spend more. So the steps of `raise` are taken here, each by pabutools's bare
rule; its own raise is shown as a fifth line and, where it differs, it must be what `raise` had at an earlier step.
"""

import json
import subprocess
import sys
import time

from pabutools.election import (
    Additive_Cardinal_Sat,
    ApprovalProfile,
    Cost_Sat,
    Instance,
    parse_pabulib,
    total_cost,
)
from pabutools.election.satisfaction import AdditiveSatisfaction
from pabutools.fractions import frac
from pabutools.rules import greedy_utilitarian_welfare, method_of_equal_shares
from pabutools.tiebreaking import TieBreakingRule

LAST_STEP = 10_000


class CostTimesPoints(AdditiveSatisfaction):
    """Satisfaction cost × points, by which pabutools's greedy rule orders by points."""

    def __init__(self, instance, profile, ballot):
        def score(_instance, _profile, ballot, project, _values):
            return project.cost * ballot[project] if project in ballot else 0

        super().__init__(instance, profile, ballot, score)


def ours(settle, path, *options):
    run = subprocess.run([settle, path, "--json", *options], capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"{path}: {run.stderr.strip()}")
    return json.loads(run.stdout)


class Theirs:
    """One file, as pabutools sees it."""

    def __init__(self, path, ids, threshold):
        whole, profile = parse_pabulib(path)
        self.approval = isinstance(profile, ApprovalProfile)
        for ballot in [ballot for ballot in profile if len(ballot) == 0]:
            profile.remove(ballot)
        support = {project.name: 0 for project in whole}
        for ballot in profile:
            for project in ballot:
                support[project.name] += 1 if self.approval else ballot[project]
        kept = [
            project
            for project in whole
            if support[project.name] >= max(threshold, 1) and project.cost <= whole.budget_limit
        ]
        self.budget = frac(whole.budget_limit)
        self.instance = Instance(kept, budget_limit=self.budget)
        self.voters = len(profile)
        self.profile = profile.as_multiprofile()
        self.ties = TieBreakingRule(
            lambda _instance, _profile, project: (-support[project.name], project.cost, ids[project.name])
        )

    def greedy(self, start=()):
        satisfaction = Cost_Sat if self.approval else CostTimesPoints
        return greedy_utilitarian_welfare(
            self.instance,
            self.profile,
            sat_class=satisfaction,
            tie_breaking=self.ties,
            initial_budget_allocation=list(start),
        )

    def bare(self, step=0, increment=None):
        """Equal shares with shares raised by `step` hundredths."""
        satisfaction = Cost_Sat if self.approval else Additive_Cardinal_Sat
        raised = Instance(self.instance, budget_limit=self.budget * frac(100 + step, 100))
        return method_of_equal_shares(
            raised,
            self.profile,
            sat_class=satisfaction,
            tie_breaking=self.ties,
            voter_budget_increment=increment,
        )

    def raised(self):
        """The outcomes of all steps that count, the last one deciding."""
        outcomes = [self.bare()]
        while len(outcomes[-1]) < len(self.instance) and len(outcomes) <= LAST_STEP:
            outcome = self.bare(len(outcomes))
            if total_cost(outcome) > self.budget:
                break
            outcomes.append(outcome)
        return outcomes


def names(projects):
    return {project.name for project in projects}


def compare(settle, path):
    """Prints a line for each rule; returns whether all agree."""
    print(path)
    greedy = ours(settle, path, "--rule", "greedy")
    theirs = Theirs(path, greedy["ids"], greedy["threshold"])
    agree = True

    def line(rule, mine, other, note=""):
        nonlocal agree
        same = set(mine["winners"]) == other
        agree &= same
        verdict = "same" if same else f"DIFFERENT, ours only {sorted(set(mine['winners']) - other)}, theirs only {sorted(other - set(mine['winners']))}"
        print(f"  {rule:<7} {len(mine['winners']):>3} winners  {verdict}{note}", flush=True)

    line("greedy", greedy, names(theirs.greedy()))
    line("bare", ours(settle, path, "--no-raise", "--no-fill"), names(theirs.bare()))
    start = time.monotonic()
    outcomes = theirs.raised()
    seconds = time.monotonic() - start
    mine = ours(settle, path, "--no-fill")
    steps = mine["outcome"]["raiseSteps"]
    note = f", {steps} steps; {mine['seconds']:.3f} s ours, {seconds:.1f} s theirs"
    if steps != len(outcomes) - 1:
        agree = False
        note += f"; DIFFERENT number of steps: {len(outcomes) - 1} theirs"
    line("raise", mine, names(outcomes[-1]), note)
    line("full", ours(settle, path), names(theirs.greedy(outcomes[-1])))

    own = names(theirs.bare(increment=theirs.budget / (100 * theirs.voters)))
    if own == names(outcomes[-1]):
        print("  (pabutools's own raise: same)")
    else:
        earlier = [step for step, outcome in enumerate(outcomes) if names(outcome) == own]
        left = theirs.budget - total_cost(project for project in theirs.instance if project.name in own)
        fits = [project for project in theirs.instance if project.name not in own and project.cost <= left]
        explained = bool(earlier) and not fits
        agree &= explained
        why = f"stopped at step {earlier[0]} because nothing else fitted" if explained else "DIFFERENT without explanation"
        print(f"  (pabutools's own raise: {len(own)} winners, {why})")
    return agree


def main():
    settle, *paths = sys.argv[1:]
    if not paths:
        raise SystemExit("no .pb files: name some, or set KOPILKA_PABULIB_DIR")
    results = [compare(settle, path) for path in paths]
    print(f"{sum(results)} of {len(results)} files agree")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()

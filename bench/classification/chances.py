"""Measure every classifier's chance rates and write them into the package.

uv run python -m bench.classification.chances
"""

from pathlib import Path

import yaml

from racine.governance.classifications.catalogue import classifiers
from racine.governance.classifications.measuring import DRAWS, SEED, chance_rates

TARGET = Path("racine/governance/classifications/data/chance.yaml")
_HEAD = f"""# Share of values of each null model that a classifier accepts.
# {DRAWS} draws of each, seed {SEED}.
# Written by `python -m bench.classification.chances`; models that pass nothing are left out.
"""


def main() -> None:
    rates = {entry.id: chance_rates(entry) for entry in classifiers() if entry.shape or entry.check}
    for name, found in rates.items():
        worst = max(found, key=found.__getitem__, default="")
        print(f"{name:28} {found.get(worst, 0.0):6.1%} {worst}")
    measured = {name: found or {"any": round(1 / DRAWS, 4)} for name, found in rates.items()}
    text = yaml.safe_dump(measured, default_flow_style=None, width=200, allow_unicode=True)
    TARGET.write_text(_HEAD + text, "utf-8")


if __name__ == "__main__":
    main()

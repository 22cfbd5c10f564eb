"""`racine classify explain` on a source that is read now: nothing is kept, no server takes part."""

from pathlib import Path

from activities.connectors.boundary import Boundary
from activities.connectors.opening import connect
from activities.reading import read_asset, table_evidence
from local.scan import WHOLE, locate, read_rules
from models import classifiers
from racine.cli.classifiers import FOLDER
from racine.errors import SourceFault
from racine.governance.classifications.engine import ClassifySettings
from racine.governance.classifications.explaining import ColumnExplanation, explain, split_column


def explain_column(
    target: str, column: str, rule_set: Path | None = None, own: Path | None = None
) -> ColumnExplanation:
    """Read one table of a database, file or folder and return why a column holds what it holds."""
    rules = read_rules(rule_set) if rule_set else WHOLE
    bank = classifiers.load(own or (FOLDER if FOLDER.is_dir() else None))
    connector = connect(locate(target), Boundary())
    try:
        assets = {asset.name: asset for asset in connector.discover().assets}
        table, name = split_column(column, assets)
        if assets[table].error:
            raise SourceFault(f"{table} cannot be read: {assets[table].error}")
        facts = read_asset(connector, assets[table], rules, own=bank)
    finally:
        connector.close()
    settings = ClassifySettings(
        packs=rules.packs, thresholds=rules.thresholds, disabled=rules.disabled
    )
    return explain(table_evidence(assets[table], facts), name, settings, bank)

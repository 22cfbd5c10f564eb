"""Performs the operations of the scan-logic group."""

from activities.call import Call, Performers
from activities.connectors.sqlite import SqliteConnector
from models.stores import scans, sources
from racine.governance import scan_logic as group
from racine.governance.classifications.engine import gather

_SAMPLE = 1000


def scan(call: Call, given: group.ScanRef) -> group.ScanResult:
    with call.db.read() as session:
        found = scans.get(session, given.scan_id)
        source = sources.get(session, found.source_id)
        assets = scans.assets(session, found.id)
    connector = SqliteConnector(source.location)
    rows = columns = 0
    for asset in assets:
        read, values = connector.sample(asset.name, _SAMPLE)
        evidence = {name: gather(counts).model_dump(mode="json") for name, counts in values.items()}
        with call.db.write() as session:
            scans.keep_evidence(session, asset.id, read, evidence)
        rows, columns = rows + read, columns + len(values)
        call.heartbeat(asset.name)
    connector.close()
    return group.ScanResult(assets=len(assets), columns=columns, rows=rows, errors=0)


PERFORMS: Performers = {group.SCAN: scan}

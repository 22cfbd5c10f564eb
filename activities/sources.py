"""Performs the operations of the data-source group."""

from activities.call import Call, Performers
from activities.connectors.sqlite import SqliteConnector
from models.stores import scans, sources
from racine.governance import data_sources as group


def register(call: Call, given: group.RegisterInput) -> group.RegisterResult:
    with call.db.write() as session:
        source = sources.register(session, call.context.workspace_id, **given.model_dump())
        return group.RegisterResult(source_id=source.id, state=source.state)


def test(call: Call, given: group.SourceRef) -> group.CheckResult:
    with call.db.read() as session:
        source = sources.get(session, given.source_id)
    SqliteConnector(source.location).close()
    return group.CheckResult(ok=True, steps=[group.CheckStep(step="open", ok=True)])


def discover(call: Call, given: group.SourceRef) -> group.DiscoverResult:
    with call.db.read() as session:
        source = sources.get(session, given.source_id)
    connector = SqliteConnector(source.location)
    found = list(connector.discover())
    connector.close()
    with call.db.write() as session:
        scan = scans.create(session, call.context.workspace_id, source.id, call.context.run_id)
        for name, columns in found:
            scans.add_asset(session, scan.id, name, "table", columns)
        scan.clean = True
        return group.DiscoverResult(scan_id=scan.id, assets=len(found), clean=True)


PERFORMS: Performers = {group.REGISTER: register, group.TEST: test, group.DISCOVER: discover}

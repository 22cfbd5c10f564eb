"""Performs the operations of the catalog group."""

from collections import Counter

from activities.call import Call, Performers
from models.stores import catalog, scans
from racine.governance import catalog as group


def publish(call: Call, given: group.PublishInput) -> group.PublishResult:
    outcomes = Counter[str]()
    with call.db.write() as session:
        scan = scans.get(session, given.scan_id)
        for asset in scans.assets(session, scan.id):
            columns = {
                c.name: {"type": c.type, "kinds": [found["kind"] for found in c.classifications]}
                for c in scans.columns(session, asset.id)
            }
            outcome = catalog.upsert(
                session,
                scan.workspace_id,
                scan.source_id,
                qualified_name=f"{scan.source_id}/{asset.name}",
                name=asset.name,
                kind=asset.kind,
                facts={"columns": columns},
            )
            outcomes[outcome] += 1
        scans.close(session, scan.id, "published")
    return group.PublishResult(
        created=outcomes["created"], updated=outcomes["updated"], unchanged=outcomes["unchanged"]
    )


PERFORMS: Performers = {group.PUBLISH: publish}

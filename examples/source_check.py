"""Group operations with types: is a source well, and what is in it?

racine apply examples/source_check.py
racine run source_check --param name=shop --param kind=sqlite --param location=/data/shop.db
"""

import racine
from racine.governance.data_sources import (
    DISCOVER,
    REGISTER,
    TEST,
    DiscoverInput,
    Kind,
    RegisterInput,
    SourceRef,
)
from racine.platform import NOTIFY, NotifyInput


@racine.job(tags={"example": "operations"})
def source_check(job: racine.JobBuilder, name: str, location: str, kind: Kind = "sqlite") -> None:
    """Registers a source, tests its connection, lists what is in it, and says what it found."""
    source = job.task("register").operation(
        REGISTER, RegisterInput, name=name, kind=kind, location=location
    )
    source_id = source.values.source_id
    test = job.task("test").operation(TEST, SourceRef, source_id=source_id)
    found = job.task("discover", depends_on=[test]).operation(
        DISCOVER, DiscoverInput, source_id=source_id
    )
    job.task("tell").operation(
        NOTIFY, NotifyInput, subject=f"{name}: {found.values.assets} assets found"
    )
    job.task("alarm", depends_on=[test, found], run_if=racine.RunIf.AT_LEAST_ONE_FAILED).operation(
        NOTIFY, NotifyInput, subject=f"{name} cannot be read", severity="error"
    )
    job.returns(assets=found.values.assets, source_id=source_id)

"""Data files as a source, wherever they lie."""

from collections.abc import Iterator, Mapping

from activities.connectors import checks
from activities.connectors.files import members
from activities.connectors.files.formats import MODULES, format_of
from activities.connectors.files.grouping import assets
from activities.connectors.files.store import File, Store
from activities.connectors.protocol import Asset, Batch, Listing, Part, Position, Sample
from racine.errors import SourceFault
from racine.governance.data_sources import CheckStep


class FilesConnector:
    """A file is an asset by its path in the source; a set of files is one by its pattern."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listed: Mapping[str, Asset] = {}

    def remember(self, assets: Mapping[str, Asset]) -> None:
        self._listed = assets

    def check(self) -> Iterator[CheckStep]:
        return checks.run(("find", self._store.find), ("list", self._list), ("read", self._read))

    def discover(self) -> Listing:
        self._store.find()
        errors: list[str] = []
        found = assets(self._store, self._store.entries(errors), self._listed)
        return Listing(tuple(found), tuple(errors))

    def count(self, asset: Asset) -> int | None:
        if asset.parts:
            return members.count(asset, self._part)
        return format_of(asset.name).count(self._file(asset.name), asset)

    def read(self, asset: Asset, sample: Sample, after: Position | None = None) -> Iterator[Batch]:
        if asset.parts:
            yield from members.read(asset, sample, after, self._part)
            return
        yield from format_of(asset.name).read(self._file(asset.name), asset, sample, after)

    def cancel(self) -> None:
        self._store.cancel()

    def close(self) -> None:
        self._store.close()

    def _part(self, part: Part) -> File:
        return self._file(part.name)

    def _file(self, name: str) -> File:
        entry = self._store.entry(name)
        if entry.error:
            raise SourceFault(entry.error)
        return File(self._store, entry)

    def _list(self) -> str:
        errors: list[str] = []
        found = sum(1 for _ in self._store.entries(errors))
        if errors:
            raise SourceFault(errors[0], next_step="Give the source's user the right to read it.")
        return f"{found} data file{'s' * (found != 1)}"

    def _read(self) -> str:
        """Describe files until one can be read."""
        reason = ""
        for entry in self._store.entries([]):
            try:
                columns, _ = format_of(entry.name).describe(self._file(entry.name))
            except SourceFault as fault:
                reason = reason or fault.message
                continue
            return f"{len(columns)} columns of {entry.name}"
        if reason:
            raise SourceFault(reason, next_step="Check the files.")
        known = ", ".join(MODULES)
        raise SourceFault("There is no data file.", next_step=f"Files end in one of: {known}.")

"""Settings of every server process, from the environment alone; all faults are told at once."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`RACINE_…` variables; `_FILE` variants are not read here but by the secret references."""

    model_config = SettingsConfigDict(env_prefix="RACINE_")

    database_url: str
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    data_dir: Path = Path(".racine")
    """Where keys and other state of this installation lie."""
    admin_password: SecretStr | None = None
    """Password of the first administrator; generated and shown once when absent."""
    secret_key: SecretStr | None = None
    """Root of token and secret encryption; made in `data_dir` when absent."""
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    operations: list[str] = Field(default_factory=list)
    """Modules that register operations with `@racine.operation`."""
    allow_loopback: bool | None = None
    """Whether sources may be on this machine; by default only where the database is SQLite."""
    source_folders: list[Path] = Field(default_factory=list)
    """Folders that file sources must lie in; empty allows any."""
    request_hosts: list[str] = Field(default_factory=list)
    """Host names and networks of private addresses that http tasks may send requests to."""
    classifiers_folder: Path | None = None
    """Folder of users' own classifiers, by which scans look too."""
    free_text_names: str = ""
    """spaCy pipeline, by name or folder, with which presidio finds names in free text."""

    @property
    def loopback_allowed(self) -> bool:
        if self.allow_loopback is None:
            return self.database_url.startswith("sqlite")
        return self.allow_loopback

    python_paths: list[Path] = Field(default_factory=list)
    """Folders from which python tasks import users' modules."""
    python_memory_megabytes: int = Field(default=2048, ge=64)
    """What one python task may allocate before Python refuses it more."""
    blob_retention_days: int = Field(default=30, ge=1, le=3650)
    """How long after a run's end its large values are kept."""

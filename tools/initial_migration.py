"""Writes migrations/versions/0001_….py anew from the tables; only until the first release."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from models.session import Database

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    versions = ROOT / "migrations/versions"
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    with tempfile.TemporaryDirectory() as folder:
        # Alone in a folder of its own: the migrations after it name it as theirs to follow.
        config.set_main_option("version_locations", folder)
        database = Database(f"sqlite:///{folder}/empty.db")
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.revision(config, "The first schema.", autogenerate=True, rev_id="0001")
        database.close()
        for old in versions.glob("0001_*.py"):
            old.unlink()
        for made in Path(folder).glob("0001_*.py"):
            shutil.move(made, versions / made.name)
    subprocess.run(["ruff", "check", "--fix", "--quiet", ROOT / "migrations"], check=False)
    subprocess.run(["ruff", "format", "--quiet", ROOT / "migrations"], check=True)


if __name__ == "__main__":
    main()

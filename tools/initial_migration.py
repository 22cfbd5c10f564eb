"""Writes migrations/versions/0001_initial.py anew from the tables; only until the first release."""

import subprocess
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from models.session import Database

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    for old in (ROOT / "migrations/versions").glob("*.py"):
        old.unlink()
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.db")
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.revision(config, "The first schema.", autogenerate=True, rev_id="0001")
        database.close()
    subprocess.run(["ruff", "check", "--fix", "--quiet", ROOT / "migrations"], check=False)
    subprocess.run(["ruff", "format", "--quiet", ROOT / "migrations"], check=True)


if __name__ == "__main__":
    main()

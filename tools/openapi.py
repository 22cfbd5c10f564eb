"""Writes api/openapi.json anew from the routes: `uv run python -m tools.openapi`."""

import json
from pathlib import Path

from api.app import create_app
from models.settings import Settings

SNAPSHOT = Path(__file__).resolve().parent.parent / "api" / "openapi.json"


def rendered() -> str:
    """Return the document as the snapshot holds it."""
    app = create_app(Settings(database_url="sqlite://"))
    return json.dumps(app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(rendered())

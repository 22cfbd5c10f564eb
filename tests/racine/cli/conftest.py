"""The command line talks to the API that the API's own tests run."""

from tests.api.conftest import api_with_temporal, workers

__all__ = ["api_with_temporal", "workers"]

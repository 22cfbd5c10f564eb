"""The whole of Racine on one machine: Temporal, the API and the workers under one supervisor."""

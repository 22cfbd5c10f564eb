"""Names on the wire that workflows need: importable without any effect."""

WORKFLOW_QUEUE = "racine-wf"
ACTIVITY_QUEUE = "racine-io"

FINISH_RUN = "racine.finish_run"
LOAD_PLAN = "racine.load_plan"

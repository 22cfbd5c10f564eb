"""Other orchestrators, measured on the same jobs in the same run."""

"""The kinds of tasks, by theme; `racine.definitions.document.Task` has one field for each."""

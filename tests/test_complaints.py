"""What users of other orchestrators complain about, and the tests that show how Racine does.

Each line is a complaint as it stands in public threads, and the tests that answer it. Triggers by
data and sensors are not there yet, and so neither are their complaints.
"""

import ast
from pathlib import Path

import pytest

from tests.local.stack import ROOT

COMPLAINTS: dict[str, list[str]] = {
    "A rerun takes the wrong version of the code, and none can be chosen "
    "(apache/airflow#50107, #52884, #67657)": [
        "temporal/test_repair.py::test_a_repair_takes_another_version_and_says_what_differs",
        "temporal/test_repair_open.py::test_a_held_run_goes_on_with_another_version",
        "temporal/test_bundles.py",
    ],
    "A run cannot go on from the task that failed "
    "(PrefectHQ/prefect#21727, #7127)": [
        "temporal/test_repair.py::test_what_failed_runs_again_and_what_was_good_is_kept",
        "temporal/test_repair.py::test_results_outlive_temporals_history",
        "temporal/test_selection.py",
    ],
    "A task cannot be marked as done so that the rest goes on (PrefectHQ/prefect#10749)": [
        "temporal/test_orders.py::test_a_held_run_waits_for_a_result_by_hand",
        "racine/cli/test_tour.py::test_every_command_of_the_tour_does_what_it_says",
    ],
    "A loop is restarted as a whole, or not at all "
    "(kestra-io/kestra#15945, windmill-labs/windmill#4956, #7072)": [
        "temporal/test_repair.py::test_only_the_iterations_that_failed_run_again",
        "temporal/test_repair.py::test_a_single_iteration_of_a_loop_in_a_loop_is_repaired",
        "api/test_tour.py::"
        "test_nested_loops_an_approval_and_a_failing_iteration_repaired_while_the_run_goes_on",
    ],
    "Slots leak after a kill or a crash, and jobs wait for ever "
    "(kestra-io/kestra#19679, #10657, #13211, PrefectHQ/prefect#9895, #8566, #18839)": [
        "chaos/test_kill_limits.py::test_a_kill_leaks_neither_turns_nor_slots",
        "temporal/test_pools.py::test_a_terminated_run_leaks_no_slot",
        "temporal/test_pools.py::test_a_cancelled_run_leaves_the_line",
        "temporal/test_run_queue.py::test_a_terminated_run_leaks_no_place",
        "models/stores/test_pool_leases.py::test_runs_and_executions_that_end_give_all_back",
    ],
    "A crash or a reboot leaves runs stuck (PrefectHQ/prefect#17955)": [
        "chaos/test_kill.py::test_a_killed_stack_continues_its_open_runs",
        "chaos/test_outages.py::test_workers_killed_under_every_kind_of_task",
        "chaos/test_outages.py::test_a_hundred_runs_outlive_the_temporal_server",
        "chaos/test_anytime.py::test_no_accepted_start_approval_or_signal_is_lost_or_doubled",
        "temporal/test_reconciler.py::test_a_run_that_temporal_lost_has_failed",
    ],
    "Joins and locks stall in silence "
    "(conductor-oss/conductor#1273, #209, Netflix/conductor#671)": [
        "temporal/test_joins.py::test_a_join_of_n_starts_without_the_failed",
        "temporal/test_waiting.py::test_each_kind_of_wait_has_its_sentence",
        "temporal/test_waiting.py::test_a_run_without_workers_says_which_queue_has_none",
        "services/test_summaries.py::test_a_task_that_waits_says_for_what",
    ],
    "A wide fan-out brings the scheduler down "
    "(apache/airflow#45991, #19622, dagster-io/dagster#12399, #12441)": [
        "temporal/test_large.py::test_a_fan_out_of_5_000",
        "temporal/test_large.py::test_20_000_iterations_of_a_sub_graph",
        "temporal/test_loops.py::test_a_large_loop_runs_in_workflows_of_its_own",
    ],
    "Large graphs and long histories take many seconds to be shown "
    "(apache/airflow#57776, #56554, dagster-io/dagster#10330, PrefectHQ/prefect#16304)": [
        "services/test_summaries.py::test_a_thousand_tasks_by_a_hundred_runs",
    ],
    "The Gantt chart says something else than the grid "
    "(apache/airflow#65159, #55983, #56070)": [
        "api/test_insights.py::test_a_run_is_seen_as_graph_and_in_the_matrix",
    ],
    "Signing in and rights cost extra (dagster-io/dagster#2219, #31821)": [
        "api/test_rbac.py",
        "api/test_sign_in.py",
        "api/test_every_route.py::test_no_id_of_another_workspace_is_there",
    ],
    "The database is locked (PrefectHQ/prefect#16304, #18934)": [
        "models/stores/test_pool_leases.py::test_no_two_at_once_take_more_than_there_is",
        "models/stores/test_run_queue.py::test_no_two_ends_or_beginnings_at_once_break_the_limit",
    ],
    "Every step costs seconds before it begins (dagster-io/dagster#25780, #3177)": [
        "temporal/test_dispatch.py::test_a_step_costs_one_activity_and_no_timer",
    ],
    "Loops cannot nest, take few items, or no file and no rows "
    "(databricks/terraform-provider-databricks#5170)": [
        "temporal/test_loops.py::test_loops_nest_and_see_the_items_around",
        "temporal/test_large.py::test_1_000_000_items_in_batches",
        "temporal/test_loops.py::test_batches_give_lists_of_items",
        "activities/test_items.py",
    ],
    "No one place shows what failed (TracecatHQ/tracecat#505)": [
        "services/test_summaries.py::test_the_matrix_and_failures_are_of_summaries_once_runs_have_ended",
        "services/test_summaries.py::test_failures_that_differ_in_numbers_and_names_are_one",
    ],
    "Long runs meet the end of Temporal's history": [
        "temporal/test_carrying.py::test_a_loop_goes_on_where_it_was",
        "temporal/test_rounds.py::test_rounds_know_no_end_of_history",
    ],
    "Overlapping runs of a schedule cannot be told how to behave": [
        "temporal/test_overlaps.py",
    ],
    "Retries have no back-off to set": [
        "temporal/test_rules.py::test_the_first_rule_that_holds_decides",
        "racine/simulation/test_running.py::test_attempts_follow_the_retry_policy",
    ],
    "A run cannot be paused": [
        "temporal/test_control.py::test_a_paused_run_starts_nothing_and_resumes",
        "temporal/test_sequences.py::"
        "test_orders_in_any_sequence_are_obeyed_once_or_refused_as_the_model_says",
    ],
}  # fmt: skip


@pytest.mark.parametrize("complaint", COMPLAINTS)
def test_a_complaint_is_answered_by_tests_that_are_there(complaint: str) -> None:
    assert COMPLAINTS[complaint]
    for named in COMPLAINTS[complaint]:
        path, _, name = named.partition("::")
        found = _tests(ROOT / "tests" / path)
        assert name in found if name else found, named


def _tests(file: Path) -> set[str]:
    tree = ast.parse(file.read_text("utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return {name for name in names if name.startswith("test_")}

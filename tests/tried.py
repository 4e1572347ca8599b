"""Which test tries what a user can say, on real engines: every key of docs/configuration.md, every verb of
the Makefile, every option of README.md's table of commands. tests/unit/project/test_tried.py checks it
against them.

A test is named MODULE::FUNCTION, the module in tests/integration.
"""

from __future__ import annotations

from typing import NamedTuple


class Tried(NamedTuple):
    """The tests in which a key is set, has another value, and is taken out again. A key that nothing works
    without is never taken out; one that is true or false has no other value than being out."""

    set: str
    changed: str | None
    out: str | None


def _keys(test: str) -> str:
    return f"test_keys::{test}"


HAND = _keys("test_a_swarm_made_by_hand_is_taken_over_at_the_user_s_word")
START = _keys("test_a_swarm_is_started_as_it_stays_beside_a_host_that_may_be_silent")
LIVES = _keys("test_make_brings_it_up_with_every_key_of_a_swarm_that_lives")
CHANGED = _keys("test_they_are_changed")
OUT = _keys("test_they_are_taken_out")
STACKS = Tried(
    _keys("test_keys_of_stacks_and_of_the_edge_are_set"),
    _keys("test_keys_of_stacks_and_of_the_edge_are_changed"),
    _keys("test_keys_of_stacks_and_of_the_edge_are_taken_out"),
)
TIME = _keys("test_services_get_the_time_that_is_said_and_no_more")
VERBS = _keys("test_verbs_that_change_nothing")
MADE = "test_life::test_up_makes_six_ready_nodes_and_the_demo_stack"
ADDED = "test_life::test_a_node_that_is_added_touches_nothing_else"
LEFT = "test_life::test_a_node_that_is_taken_out_is_drained_and_leaves_no_entry"
DRIFT = "test_drift::test_drift"
FIXED = "test_nodes::test_what_is_fixed_with_the_start_is_refused_later"
DRAIN = "test_nodes::test_a_drain_that_cannot_end_fails_in_words_and_is_skipped_at_the_user_s_word"
LOST = "test_nodes::test_a_node_that_is_down_is_taken_out_only_as_lost_and_never_dialled"
WAY = "test_nodes::test_another_user_key_and_port_make_no_node_leave_or_join"
SECRET = "test_stacks_life::test_a_changed_secret_moves_its_services_over_and_restarts_no_other"
STACK_OUT = "test_stacks_life::test_a_stack_that_is_taken_out_and_put_in_again_loses_no_more_than_its_tasks"
FILE = "test_stacks_life::test_what_is_changed_in_a_file_or_taken_out_is_so_on_the_services_and_the_network"

# By the page's headings.
KEYS = {
    "Keys": {
        "swarm:nodes": Tried(MADE, ADDED, LEFT),
        "swarm:ssh": Tried(MADE, WAY, None),
        "swarm:stacks": Tried(MADE, STACK_OUT, STACK_OUT),
        "swarm:edge": STACKS,
        "swarm:secrets": Tried(MADE, SECRET, STACKS.out),
        "swarm:addressPool": Tried(START, FIXED, OUT),
        "swarm:dataPathPort": Tried(START, FIXED, OUT),
        "swarm:taskHistoryLimit": Tried(LIVES, CHANGED, OUT),
        "swarm:certificateExpiry": Tried(LIVES, CHANGED, OUT),
        "swarm:dispatcherHeartbeat": Tried(LIVES, CHANGED, OUT),
        "swarm:drainTimeout": Tried(LIVES, DRAIN, OUT),
        "swarm:settleTimeout": Tried(LIVES, TIME, TIME),
        "swarm:parallel": Tried(LIVES, CHANGED, OUT),
        "swarm:adopt": Tried(HAND, None, HAND),
        "swarm:allowUnreachable": Tried(START, None, START),
        "swarm:unreachable": Tried(START, START, START),
        "swarm:otherNodes": Tried(HAND, HAND, HAND),
    },
    "Nodes": {
        "name": Tried(MADE, DRIFT, LEFT),
        "host": Tried(MADE, DRIFT, LEFT),
        "role": Tried(MADE, "test_nodes::test_a_role_is_changed_in_place_and_back", None),
        "labels": Tried(LIVES, CHANGED, OUT),
        "availability": Tried(LIVES, CHANGED, OUT),
        "lost": Tried(LOST, None, LOST),
        "ssh": Tried(LIVES, CHANGED, OUT),
        "advertiseAddress": Tried(START, CHANGED, OUT),
        "dataPathAddress": Tried(START, CHANGED, OUT),
    },
    "SSH": {
        "user": Tried(WAY, WAY, WAY),
        "port": Tried(WAY, WAY, WAY),
        "privateKeyFile": Tried(MADE, WAY, None),
        "knownHostsFile": Tried(MADE, WAY, None),
        "connectTimeout": Tried(START, CHANGED, OUT),
        "proxy": Tried(LIVES, CHANGED, OUT),
    },
    "Stacks": {
        "name": Tried(MADE, STACK_OUT, STACK_OUT),
        "compose": Tried(MADE, FILE, None),
        "variables": STACKS,
        "envFile": STACKS,
        "dependsOn": STACKS,
        "ignoreUnsupported": STACKS,
        "resolveImages": STACKS,
        "folder": STACKS,
    },
    "Edge": {"image": STACKS, "nodes": STACKS, "ports": STACKS, "mode": STACKS},
}

# The rest is typed in LIVES, or is a program of its own behind the verb.
VERB = {
    "acceptance": VERBS,
    "bench": "test_bench::test_a_round_of_the_bench_has_every_row_and_leaves_no_swarm",
    "bench-election": "test_elections::test_a_killed_leader_is_followed_by_another_that_takes_writes",
    "bench-kv": "test_kv::test_every_store_is_measured_and_what_was_written_is_removed",
    "destroy": _keys("test_make_destroys_it"),
    "doctor": VERBS,
    "help": VERBS,
    "play": "test_play::test_the_configuration_and_the_services_are_as_they_were",
    "preview": LIVES,
    "tools": VERBS,
    "up": LIVES,
    "verify": STACKS.set,
}
# What no test on engines can try, and why.
UNTRIED = {
    "lock": "it asks the package index; tests/unit/project/test_supply.py reads what it writes",
    "lint": "the tests begin with it",
    "test": "it is what runs these tests",
    "test-all": "it is what runs these tests",
}

OPTIONS = {
    "STACK=name": LIVES,
    "DEEP=1": "test_doctor::test_in_a_swarm_connections_are_tried_and_datagrams_by_deep_alone",
    "N=3": VERBS,
    "make acceptance-STAGE": VERBS,
    "pulumi up": MADE,
    "preview": MADE,
    "destroy": "test_life::test_destroy_leaves_nothing_on_any_host",
    "python3 -m lab up": VERBS,
    "down": "test_lab::test_a_lab_beside_it_has_a_subnet_of_its_own_and_goes_without_a_trace",
    "status": VERBS,
    "stop NODE": "test_lab::test_a_node_that_lost_its_power_comes_back_as_the_same_host",
    "start NODE": "test_lab::test_a_node_that_lost_its_power_comes_back_as_the_same_host",
    "destroy NODE": "test_lab::test_a_reimaged_node_is_another_host_of_the_same_name_and_address",
    "ssh NODE [COMMAND]": VERBS,
}

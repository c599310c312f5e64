"""What a robust mailbox service must hold, point by point, and the tests that hold it to that.

A point is held by tests of other files, named here as ``module::test`` or ``module::Class::test``. This
file fails when one of them is renamed or goes away, so that no point loses its test unseen.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).resolve().parent

POINTS: Final[dict[int, tuple[str, tuple[str, ...]]]] = {
    1: (
        "every wait is bounded: connecting, each read, a deadline per command and round",
        (
            "test_edges_imap_faults::TestNoSession::test_a_server_that_never_greets",
            "test_edges_imap_faults::TestNoSession::test_a_greeting_that_drips_does_not_hold_us",
            "test_edges_imap_faults::TestBrokenSessions::test_an_answer_that_drips_is_cut_at_the_deadline",
            "test_edges_files::TestDeadline::test_a_read_that_never_ends_is_cut",
            "live/test_live_smtp::test_a_server_that_drips_is_cut_off",
            "live/test_live_smtp::test_a_server_that_says_nothing_is_left_in_time",
        ),
    ),
    2: (
        "a session is thrown away after any failure but a tagged NO, and the next round works",
        (
            "test_edges_imap_faults::TestBrokenSessions::test_the_server_hangs_up_and_the_next_round_works",
            "test_edges_imap_faults::TestBrokenSessions::test_nonsense_ends_the_session_and_nothing_else",
            "live/test_live_imap::TestLogin::test_a_new_token_is_asked_for_at_every_login",
        ),
    ),
    3: (
        "pauses grow while a server is away or busy; a refused login is left alone for long",
        (
            "test_edges_imap_faults::TestNoSession::test_a_refused_login_is_told_from_a_busy_server",
            "test_service_pauses::test_pauses_double_up_to_a_quarter_of_an_hour",
            "test_service_pauses::test_a_refused_login_is_not_tried_again_soon",
            "live/test_live_service::test_a_server_that_is_away_is_left_alone_and_then_found_again",
        ),
    ),
    4: (
        "IDLE never spins and is only a wake-up; the interval is the net",
        (
            "test_edges_imap_faults::test_a_server_that_closes_costs_next_to_no_time",
            "test_edges_imap_faults::test_idle_does_not_spin_on_a_server_that_hangs_up_at_once",
            "test_edges_imap_faults::test_a_server_without_idle_is_left_to_the_interval",
            "live/test_live_imap::TestIdle::test_a_mail_wakes_within_seconds",
            "live/test_live_imap::TestIdle::test_a_server_that_hangs_up_does_not_make_it_spin",
            "test_service_pauses::test_idle_is_renewed_before_servers_end_it",
        ),
    ),
    5: (
        "TLS and host name are verified; no login in clear unless allowed; no control character in names or passwords",
        (
            "live/test_live_imap::TestLogin::test_starttls_is_verified_as_tls_is",
            "live/test_live_smtp::test_tls_is_verified_by_name_and_issuer",
            "test_settings::test_errors_name_file_and_key_and_say_what_to_do",
            "test_settings::test_no_control_character_gets_into_a_folder_name",
            "test_edges_files::TestPasswords::test_a_second_line_is_refused_and_not_repeated",
        ),
    ),
    6: (
        "UIDs and BODY.PEEK[] only; polling leaves no mark",
        (
            "test_edges_imap_faults::TestFetching::test_it_peeks",
            "live/test_live_imap::test_lists_sizes_reads_and_leaves_everything_unseen",
            "test_service_round::TestAfterwards::test_polling_alone_changes_nothing",
        ),
    ),
    7: (
        "after a change of UIDVALIDITY nothing is processed or answered twice",
        (
            "live/test_live_imap::test_a_new_uidvalidity_is_listed_from_the_start",
            "live/test_live_service::test_after_a_change_of_uidvalidity_nobody_is_answered_twice",
        ),
    ),
    8: (
        "searches in windows, short commands, bounded answers, n:* filtered",
        (
            "live/test_live_big::test_160000_messages_are_listed_in_windows_and_the_round_works",
            "live/test_live_imap::test_a_big_folder_is_listed_in_windows",
            "test_edges_imap_faults::TestListing::test_uids_outside_the_window_are_left_out",
        ),
    ),
    9: (
        "the size is asked first; what is too large is parked without being read",
        (
            "live/test_live_big::test_a_mail_of_50_megabytes_is_parked_and_never_in_memory",
            "live/test_live_big::test_a_mail_just_below_the_cap_is_read_within_bounds",
            "test_service_round::TestTrouble::test_an_oversize_mail_is_parked_unread",
        ),
    ),
    10: (
        "answers that lack what was asked for are understood",
        (
            "test_edges_imap_faults::TestFetching::test_what_lacks_is_asked_for_alone",
            "test_edges_imap_faults::TestFetching::test_one_that_another_session_expunges_is_gone",
            "test_edges_imap_faults::TestFetching::test_one_that_is_no_text_is_unreadable",
            "test_service_round::TestTrouble::test_a_mail_gone_before_it_is_read_is_no_error",
        ),
    ),
    11: (
        "one poison mail never blocks the others; tries are counted before they are made",
        (
            "live/test_live_service::test_a_mail_on_which_the_server_hangs_up_does_not_hold_the_others",
            "test_edges_imap_faults::TestFetching::test_a_no_to_many_is_followed_by_one_by_one",
            "test_service_round::TestTrouble::test_a_mail_that_breaks_the_reader_is_quarantined_and_the_others_go_on",
            "test_service_crash::test_killed_anywhere_the_work_is_done_once",
        ),
    ),
    12: (
        "kill -9 at every step, a full or locked disk: nothing lost, nothing doubled",
        (
            "test_service_crash::test_killed_anywhere_the_work_is_done_once",
            "test_service_schedule::TestReminders::test_killed_at_any_step_a_reminder_goes_out_once",
            "test_service_crash::test_killed_at_any_write_the_work_is_done_once",
            "test_service_trouble::test_a_full_disk_loses_nothing_wherever_it_fills_up",
            "test_service_trouble::test_a_disk_that_takes_no_byte_more_in_a_process_of_its_own",
            "test_service_trouble::test_a_locked_database_waits_for_the_next_round",
            "test_service_trouble::test_a_database_that_is_gone_says_so_and_comes_back",
        ),
    ),
    13: (
        "marking is idempotent and optional; no plain EXPUNGE",
        (
            "live/test_live_imap::TestMarking::test_moves_into_a_folder_that_it_makes_and_finds_the_mail_there",
            "live/test_live_imap::TestMarking::test_flags_with_a_keyword",
            "test_edges_imap_faults::TestMarking::test_without_move_or_uidplus_nothing_is_expunged",
            "test_edges_imap_faults::TestMarking::test_without_move_it_copies_and_expunges_by_uid",
        ),
    ),
    14: (
        "a session that ends while mails are worked on does no harm",
        ("test_service_pauses::test_a_session_that_ends_during_the_work_does_no_harm",),
    ),
    15: (
        "one poller per mailbox; two processes do each mail once",
        (
            "test_store::TestLeases::test_one_owner_until_it_runs_out",
            "live/test_live_store::test_the_migrations_make_the_tables",
            "live/test_live_postgres::test_a_lease_is_one_owners_until_it_runs_out",
            "live/test_live_postgres::test_three_processes_one_of_them_killed_do_every_mail_once",
        ),
    ),
    16: (
        "any bytes parse, within bounds, with their defects named",
        (
            "test_mail_hostile::test_any_bytes_give_a_message_or_unparsable",
            "test_mail_hostile::test_caps_are_named",
            "test_service_bounds::test_a_hostile_mail_costs_bounded_work_and_says_what_was_left_out",
            "test_service_bounds::test_no_expression_runs_away",
            "test_service_bounds::test_a_thread_without_end_ends_with_a_person",
            "test_mail_hostile::test_hostile_mail_is_read",
            "test_mail_fixtures::test_mime_of_legacy_mails",
        ),
    ),
    17: (
        "charsets are decoded rightly; mails inside mails are kept apart",
        (
            "test_mail_parse::test_bodies",
            "test_mail_parse::test_subjects",
            "test_mail_parse::test_a_mail_inside_the_mail_is_kept_apart",
        ),
    ),
    18: (
        "doubled headers are flagged; only configured servers are believed; doubt is never complete",
        (
            "test_mail_parse::test_doubled_headers_are_defects",
            "test_mail_parse::test_senders",
            "test_mail_authenticity::test_results",
            "test_service_plan::test_an_unverified_consent_is_never_complete",
            "test_service_sender::TestRounds::test_two_from_headers_are_never_complete",
            "test_service_sender::TestRounds::test_a_foreign_server",
            "live/test_live_store::test_who_may_speak_is_asked_of_the_database",
            "test_service_sender::TestDkim::test_words_added_behind_a_length_do_not_count",
        ),
    ),
    19: (
        "no reply to machines, and each silence has its reason",
        (
            "test_service_plan::test_none_of_the_bounces_reaches_the_reader",
            "test_service_plan::test_no_machine_is_ever_answered",
            "test_service_plan::test_every_silence_has_its_reason",
            "test_mail_fixtures::test_bounces_are_machines",
            "test_service_round::test_our_own_mail_coming_back_is_no_ticket",
        ),
    ),
    20: (
        "limits per mail, ticket, sender, domain and in all; programs that answer each other stop",
        (
            "test_service_plan::test_the_limits_hold_whatever_is_decided",
            "test_service_round::TestLimits::test_two_programs_that_answer_each_other_stop",
            "live/test_live_loop::test_as_they_are_the_first_answer_is_the_last",
            "live/test_live_loop::test_behind_gateways_that_hide_what_they_are_they_stop_at_the_limit",
            "test_service_round::TestLimits::test_the_breaker_stops_replies_and_tells_the_staff_once",
        ),
    ),
    21: (
        "replies say what they are and thread; nothing of a mail becomes a header or a template",
        (
            "test_service_letters::test_long_ids_are_never_encoded",
            "test_service_letters::test_what_every_automatic_answer_carries",
            "test_service_letters::test_no_name_makes_a_header",
            "test_service_letters::test_a_hostile_subject_stays_words",
            "test_service_letters::test_a_line_end_in_an_address_is_refused",
        ),
    ),
    22: (
        "one Message-ID and as many copies as configured, whatever a relay does",
        (
            "test_service_crash::test_a_relay_that_never_answers_gets_as_many_copies_as_configured",
            "test_service_crash::test_a_service_killed_while_sending_does_not_send_again_unasked",
            "test_service_trouble::test_a_database_that_fails_after_the_sending_does_not_send_again",
            "live/test_live_smtp::test_what_became_of_a_mail",
            "live/test_live_service::test_a_relay_that_drops_after_the_text_is_not_tried_again",
            "test_service_letters::test_the_same_mail_is_the_same_bytes",
        ),
    ),
    23: (
        "deferred mails are tried again within limits; failures are told; bounces stop an address",
        (
            "test_service_delivery::test_a_relay_that_defers_is_tried_a_few_times_with_growing_pauses",
            "test_service_delivery::test_what_failed_stands_in_the_digest",
            "live/test_live_postfix::test_what_comes_back_stops_mail_to_that_address",
            "test_service_round::TestBounces::test_a_report_cannot_stop_an_address_that_we_did_not_write_to",
        ),
    ),
    24: (
        "rounds never overlap and none is lost; it stops in time; a hang is ended; one digest a date",
        (
            "test_service_running::TestRounds::test_mail_that_comes_in_mid_round_has_a_round_of_its_own",
            "test_service_running::test_watched_measured_and_stopped",
            "test_service_running::test_a_second_sigterm_ends_it_at_once_and_nothing_listens_by_default",
            "test_service_running::test_a_round_that_hangs_ends_the_process_for_its_supervisor",
            "test_service_round::TestTrouble::test_stopping_between_mails_leaves_the_rest_for_later",
            "test_service_schedule::TestDigest::test_one_a_date_when_summer_time_changes",
        ),
    ),
    25: (
        "it can be watched, and nothing secret is in logs, store or mails",
        (
            "test_service_running::TestMetrics::test_what_is_no_longer_there_is_not_shown",
            "test_service_commands::test_health_is_the_age_of_the_heartbeat",
            "test_service_commands::test_no_secret_lies_about_afterwards",
            "test_service_secrets::test_nothing_shown_holds_a_secret",
            "test_service_secrets::test_no_file_but_the_mailbox_holds_a_secret",
            "test_service_secrets::test_no_mail_of_ours_holds_a_secret",
            "test_edges_files::TestLogs::test_what_is_not_on_the_list_is_dropped",
            "test_mail_hostile::test_nothing_of_the_mail_is_logged",
            "live/test_live_imap::test_literals_are_not_printed_for_a_log",
        ),
    ),
}


@cache
def named_in(module: str) -> frozenset[str]:
    """The tests of a file: ``test`` and ``Class::test``."""
    file = HERE / f"{module}.py"
    assert file.exists(), f"{file} is missing; the checklist names tests of it"
    found: set[str] = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{x.name}" for x in node.body if isinstance(x, ast.FunctionDef)}
    return frozenset(found)


def test_there_are_25_points() -> None:
    assert sorted(POINTS) == list(range(1, 26))


@pytest.mark.parametrize("point", sorted(POINTS))
def test_every_point_is_held_by_tests_that_exist(point: int) -> None:
    text, held_by = POINTS[point]
    assert text
    assert held_by, f"point {point} is held by nothing"
    for name in held_by:
        module, _, test = name.partition("::")
        assert test.rpartition("::")[2].startswith("test_")
        assert test in named_in(module), f"point {point} ({text}): {name} is gone; name what holds it now"

"""Whatever an upstream says, when it says it and when a browser leaves: shared, it is as it was alone."""

from __future__ import annotations

from tests.hostile.test_answers_corpus import (
    test_what_breaks_off_never_looks_whole,
    test_what_can_be_repaired_has_one_meaning,
    test_what_is_no_answer_is_refused,
    test_what_is_right_passes,
)
from tests.hostile.test_answers_flood import (
    test_a_body_of_tiny_chunks_passes,
    test_a_body_whose_framing_has_no_end_breaks,
    test_a_head_without_end_is_refused,
)
from tests.hostile.test_answers_late import (
    test_silence_before_the_head_is_a_504,
    test_silence_within_the_body_breaks_it_off,
)
from tests.hostile.test_answers_split import (
    test_an_answer_byte_by_byte_is_the_same_answer,
    test_an_answer_in_two_parts_is_the_same_answer,
)
from tests.hostile.test_answers_surplus import (
    test_a_smuggled_second_answer_reaches_nobody,
    test_everybody_gets_their_own_answer_at_once,
)
from tests.hostile.test_events import (
    test_a_head_passes_before_its_body,
    test_each_event_passes_before_the_next_is_sent,
)
from tests.hostile.test_leaving import (
    test_a_browser_that_leaves_frees_the_upstream_within_a_second,
    test_a_browser_that_stops_reading_is_left_after_the_idle_limit,
    test_an_upstream_is_read_no_further_than_its_browser_reads,
)
from tests.hostile.test_token_canary import (
    test_a_body_cut_within_the_token_gives_little_away,
    test_a_token_split_at_any_byte_is_found,
    test_no_form_of_the_token_gets_out,
    test_no_place_of_an_answer_gives_the_token_away,
)

__all__ = [
    "test_a_body_cut_within_the_token_gives_little_away",
    "test_a_body_of_tiny_chunks_passes",
    "test_a_body_whose_framing_has_no_end_breaks",
    "test_a_browser_that_leaves_frees_the_upstream_within_a_second",
    "test_a_browser_that_stops_reading_is_left_after_the_idle_limit",
    "test_a_head_passes_before_its_body",
    "test_a_head_without_end_is_refused",
    "test_a_smuggled_second_answer_reaches_nobody",
    "test_a_token_split_at_any_byte_is_found",
    "test_an_answer_byte_by_byte_is_the_same_answer",
    "test_an_answer_in_two_parts_is_the_same_answer",
    "test_an_upstream_is_read_no_further_than_its_browser_reads",
    "test_each_event_passes_before_the_next_is_sent",
    "test_everybody_gets_their_own_answer_at_once",
    "test_no_form_of_the_token_gets_out",
    "test_no_place_of_an_answer_gives_the_token_away",
    "test_silence_before_the_head_is_a_504",
    "test_silence_within_the_body_breaks_it_off",
    "test_what_breaks_off_never_looks_whole",
    "test_what_can_be_repaired_has_one_meaning",
    "test_what_is_no_answer_is_refused",
    "test_what_is_right_passes",
]

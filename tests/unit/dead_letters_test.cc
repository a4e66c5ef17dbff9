#include "common/operations/dead_letters.h"

#include <catch2/catch.hpp>

#include "common/base/errors.h"
#include "order_service/shipments.h"
#include "order_service/sync.h"
#include "tests/unit/order_desk.h"

namespace mtp::tests {
namespace {

using namespace ops::v1;  // NOLINT: the letters' names
using common::v1::READINESS_READY;
using sync::DeadLetter;
using sync::v1::VERDICT_CODE_APPLIED;
using sync::v1::VERDICT_CODE_POISON;
using sync::v1::VERDICT_CODE_STALE;

// Grandpass hears of a shipment that it never gave.
struct Desk : OrderDesk {
  static constexpr db::ShipmentKey kUnknown{1, 1};

  sync::v1::VerdictCode HearVersion(int64_t version, int64_t epoch = 1) {
    auto word = Word(kUnknown, version, READINESS_READY, 300'000);
    word.mutable_stamp()->set_epoch(epoch);
    return Hear(word, epoch).code();
  }
  const DeadLetter& Letter() {
    const auto letters = rows().dead_letters.All();
    REQUIRE(letters.size() == 1);
    return *letters[0];
  }
  absl::StatusOr<DropDeadLetterResponse> Drop() {
    DropDeadLetterRequest request;
    request.set_dead_letter_id(Letter().dead_letter_id.ToString());
    request.set_reason("we go without it");
    return Do(operations::DecideDropDeadLetter<order::Rows>, request);
  }
  absl::StatusOr<RetryDeadLetterResponse> Retry() {
    RetryDeadLetterRequest request;
    request.set_dead_letter_id(Letter().dead_letter_id.ToString());
    const Decision<RetryDeadLetterRequest, RetryDeadLetterResponse> decide =
        [](const RetryDeadLetterRequest& asked, order::Context& context,
           order::Rows& rows) -> absl::StatusOr<RetryDeadLetterResponse> {
      ASSIGN_OR_RETURN(
          const DeadLetter* letter,
          operations::OpenDeadLetter(*Uuid::Parse(asked.dead_letter_id()),
                                     rows.dead_letters));
      std::optional<sync::v1::Verdict> verdict;
      for (const auto& hearing : order::Hearings()) {
        if (hearing.kind != letter->kind) continue;
        verdict =
            hearing.apply(std::string(letter->state.value), context, rows);
      }
      return operations::FinishRetry(*letter, verdict, context,
                                     rows.dead_letters);
    };
    return Do(decide, request);
  }
};

TEST_CASE("a state that cannot be applied is a letter, with all it said") {
  Desk desk;
  CHECK(desk.HearVersion(5) == VERDICT_CODE_POISON);
  const DeadLetter& letter = desk.Letter();
  CHECK(letter.kind == "shipment_progress");
  CHECK(letter.state_key == "1/1");
  CHECK(letter.epoch == 1);
  CHECK(letter.version == 5);
  CHECK(letter.reason == "UNKNOWN_SHIPMENT");
  CHECK(letter.correlation_ids == std::vector<std::string>{"there"});
  CHECK(letter.attempts == 1);
  sync::v1::ShipmentProgressState state;
  REQUIRE(state.ParseFromString(letter.state.value));
  CHECK(state.allocated_grams() == 300'000);
}

TEST_CASE("a state that comes again is another attempt of the same letter") {
  Desk desk;
  desk.HearVersion(5);
  const DeadLetter first = desk.Letter();
  CHECK(desk.HearVersion(5) == VERDICT_CODE_POISON);
  CHECK(desk.Letter().dead_letter_id == first.dead_letter_id);
  CHECK(desk.Letter().attempts == 2);
  CHECK(desk.Letter().first_seen_at == first.first_seen_at);
  CHECK(desk.Letter().last_seen_at > first.last_seen_at);
}

TEST_CASE("of what cannot be applied the newest is kept, whatever comes last") {
  Desk desk;
  desk.HearVersion(5);
  desk.HearVersion(6);
  CHECK(desk.Letter().version == 6);
  CHECK(desk.HearVersion(4) == VERDICT_CODE_POISON);
  CHECK(desk.Letter().version == 6);
  desk.HearVersion(1, 2);
  CHECK(desk.Letter().epoch == 2);
}

TEST_CASE("a letter is settled by what is applied, unless that is older") {
  Desk desk;
  desk.HearVersion(5);
  desk.AddRequest(500'000);  // now it is known
  CHECK(desk.HearVersion(4) == VERDICT_CODE_APPLIED);
  CHECK(desk.Letter().open());
  CHECK(desk.HearVersion(5) == VERDICT_CODE_APPLIED);
  CHECK(desk.Letter().settlement == DEAD_LETTER_STATE_APPLIED);
  CHECK(desk.Letter().settled_at.has_value());
  CHECK(desk.Letter().settled_by.empty());
}

TEST_CASE("what was dropped counts as confirmed, and what is older, too") {
  Desk desk;
  desk.HearVersion(5);
  const auto dropped = desk.Drop();
  REQUIRE(dropped.ok());
  CHECK(dropped->dead_letter().state() == DEAD_LETTER_STATE_DROPPED);
  CHECK(dropped->dead_letter().drop_reason() == "we go without it");
  CHECK(dropped->dead_letter().settled_by().username() == "nimal");
  REQUIRE(desk.audit().size() == 1);
  CHECK(desk.audit()[0].entity_kind == "dead_letter");
  CHECK(desk.audit()[0].action == "dropped");

  CHECK(desk.HearVersion(5) == VERDICT_CODE_STALE);
  CHECK(desk.HearVersion(4) == VERDICT_CODE_STALE);
  CHECK(desk.Letter().attempts == 1);
  // Even when it could be applied by now: it was given up.
  desk.AddRequest(500'000);
  CHECK(desk.HearVersion(5) == VERDICT_CODE_STALE);
  CHECK(desk.HearVersion(6) == VERDICT_CODE_APPLIED);
  CHECK(desk.Letter().settlement == DEAD_LETTER_STATE_DROPPED);
}

TEST_CASE("a newer version than the dropped one is judged, as a new letter") {
  Desk desk;
  desk.HearVersion(5);
  REQUIRE(desk.Drop().ok());
  const Uuid before = desk.Letter().dead_letter_id;
  CHECK(desk.HearVersion(6) == VERDICT_CODE_POISON);
  const DeadLetter& letter = desk.Letter();
  CHECK(letter.open());
  CHECK(letter.dead_letter_id != before);
  CHECK(letter.attempts == 1);
  CHECK(letter.drop_reason.empty());
  CHECK_FALSE(letter.settled_at.has_value());
  // A restored owner counts from the beginning, in a new epoch.
  REQUIRE(desk.Drop().ok());
  CHECK(desk.HearVersion(1, 2) == VERDICT_CODE_POISON);
}

TEST_CASE("a letter that still cannot be applied stays, one attempt older") {
  Desk desk;
  desk.HearVersion(5);
  const auto retried = desk.Retry();
  REQUIRE(retried.ok());
  CHECK(retried->verdict().code() == VERDICT_CODE_POISON);
  CHECK(retried->verdict().reason() == "UNKNOWN_SHIPMENT");
  CHECK(retried->dead_letter().state() == DEAD_LETTER_STATE_OPEN);
  CHECK(retried->dead_letter().attempt_count() == 2);
  REQUIRE(desk.audit().size() == 1);
  CHECK(desk.audit()[0].action == "retried");
}

TEST_CASE("a letter whose cause is gone is applied by the rule of its kind") {
  Desk desk;
  desk.HearVersion(5);
  desk.AddRequest(500'000);
  const auto retried = desk.Retry();
  REQUIRE(retried.ok());
  CHECK(retried->verdict().code() == VERDICT_CODE_APPLIED);
  CHECK(retried->dead_letter().state() == DEAD_LETTER_STATE_APPLIED);
  CHECK(retried->dead_letter().settled_by().username() == "nimal");
  CHECK(desk.Shipment(Desk::kUnknown).allocated_grams == 300'000);
  CHECK(desk.Shipment(Desk::kUnknown).progress_version == 5);
  // The peer learns so when it offers it again.
  CHECK(desk.HearVersion(5) == VERDICT_CODE_STALE);
  CHECK(errors::Reason(desk.Retry().status()) == "DEAD_LETTER_SETTLED");
  CHECK(errors::Reason(desk.Drop().status()) == "DEAD_LETTER_SETTLED");
}

TEST_CASE("a letter that was overtaken is settled when it is retried") {
  Desk desk;
  desk.HearVersion(5);
  desk.AddRequest(500'000);
  DeadLetter letter = desk.Letter();
  CHECK(desk.HearVersion(6) == VERDICT_CODE_APPLIED);
  desk.rows().dead_letters.Put(letter);  // as if nobody had settled it
  const auto retried = desk.Retry();
  REQUIRE(retried.ok());
  CHECK(retried->verdict().code() == VERDICT_CODE_STALE);
  CHECK(retried->dead_letter().state() == DEAD_LETTER_STATE_APPLIED);
  CHECK(desk.Shipment(Desk::kUnknown).progress_version == 6);
}

TEST_CASE("what cannot even be read is no state of any kind") {
  Desk desk;
  desk.HearVersion(5);
  DeadLetter letter = desk.Letter();
  letter.state = {"\xff\xff\xff"};
  desk.rows().dead_letters.Put(letter);
  const auto retried = desk.Retry();
  REQUIRE(retried.ok());
  CHECK(retried->verdict().code() == VERDICT_CODE_POISON);
  CHECK(retried->verdict().reason() == "UNREADABLE_STATE");
  CHECK(retried->dead_letter().attempt_count() == 2);
  CHECK(retried->dead_letter().state() == DEAD_LETTER_STATE_OPEN);
}

}  // namespace
}  // namespace mtp::tests

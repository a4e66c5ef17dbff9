#include <catch2/catch.hpp>
#include <set>

#include "absl/strings/escaping.h"
#include "common/base/protos.h"
#include "common/seals/peer_seals.h"
#include "tests/unit/order_desk.h"

namespace mtp::tests {
namespace {

using common::v1::SIDE_ORDER;
using common::v1::SIDE_PROCESSING;
using seals::Entry;
using seals::Seal;
using sync::v1::SealState;

std::string Hex(const std::string& bytes) {
  return absl::BytesToHexString(bytes);
}

Entry AnEntry() {
  return {.entry_id = 7,
          .occurred_at = 816'782'400'000'000,
          .recorded_at = 816'782'400'000'001,
          .caller = "01900000-0000-7000-8000-000000000001",
          .username = "nimal",
          .role = "SEEDUWA_OPERATOR",
          .method = "/mtp.processing.v1.BagService/ReceiveBag",
          .request_id = "01900000-0000-7000-8000-0000000000aa",
          .correlation_id = "c-1",
          .remote_address = "10.0.0.7",
          .remarks = "wet",
          .entity_kind = "bag",
          .entity_key = "b-1",
          .action = "received",
          .change = "{\"grams\": 25000, \"garden\": \"P\u00e9dro\"}"};
}

const std::string kBefore = absl::HexStringToBytes(
    "6db7d803e74f1ffa7d8f5adc0bf95b3e15bf4c8373fffadf546227cc6c6742cb");

Seal ASeal() {
  return {.seal_number = 3,
          .epoch = 2,
          .last_entry_id = 8,
          .entry_count = 2,
          .previous_digest = kBefore,
          .sealed_at = 816'782'460'000'000};
}

std::string DigestOf(const std::vector<Entry>& entries, const Seal& seal) {
  seals::SealDigest digest(seal.previous_digest);
  for (const Entry& entry : entries) digest.Add(entry);
  return digest.Finish(seal);
}

// The figures come from a program in another language that follows
// docs/audit.md. Should they ever change, every trail sealed before is taken
// for altered.
TEST_CASE("the digest of an entry is what the documentation says") {
  CHECK(seals::Encoding(AnEntry()).size() == 269);
  CHECK(Hex(seals::EntryDigest(AnEntry())) ==
        "dc707574a1e498a623a6bd32497da0030888e62ae8bb67a18e52e88bde95b6ef");
}

TEST_CASE("the digest of a seal is what the documentation says") {
  CHECK(Hex(DigestOf({AnEntry(), AnEntry()}, ASeal())) ==
        "74e2534b444b5e744ee492840e2f0349a80696059721763f8ea23cba934b1f26");
}

TEST_CASE("every field of an entry is in its digest") {
  std::set<std::string> digests = {seals::EntryDigest(AnEntry())};
  size_t altered = 0;
  const auto alter = [&](auto member, auto value) {
    Entry entry = AnEntry();
    entry.*member = value;
    digests.insert(seals::EntryDigest(entry));
    ++altered;
  };
  alter(&Entry::entry_id, 8);
  alter(&Entry::occurred_at, 816'782'400'000'002);
  alter(&Entry::recorded_at, 816'782'400'000'002);
  for (const auto member :
       {&Entry::caller, &Entry::username, &Entry::role, &Entry::method,
        &Entry::request_id, &Entry::correlation_id, &Entry::remote_address,
        &Entry::remarks, &Entry::entity_kind, &Entry::entity_key,
        &Entry::action, &Entry::change}) {
    alter(member, std::string("x"));
    alter(member, std::string());
  }
  CHECK(digests.size() == altered + 1);
}

TEST_CASE("a text cannot move from one field of an entry to the next") {
  Entry a = AnEntry();
  a.entity_kind = "bag";
  a.entity_key = "1";
  Entry b = AnEntry();
  b.entity_kind = "ba";
  b.entity_key = "g1";
  CHECK(seals::Encoding(a).size() == seals::Encoding(b).size());
  CHECK(seals::EntryDigest(a) != seals::EntryDigest(b));
}

TEST_CASE("everything in a seal is in its digest") {
  Entry second = AnEntry();
  second.entry_id = 8;
  const std::string digest = DigestOf({AnEntry(), second}, ASeal());
  CHECK(DigestOf({second, AnEntry()}, ASeal()) != digest);
  CHECK(DigestOf({AnEntry()}, ASeal()) != digest);
  CHECK(DigestOf({AnEntry(), second, second}, ASeal()) != digest);
  for (const auto member :
       {&Seal::seal_number, &Seal::epoch, &Seal::last_entry_id,
        &Seal::entry_count, &Seal::sealed_at}) {
    Seal seal = ASeal();
    seal.*member += 1;
    CHECK(DigestOf({AnEntry(), second}, seal) != digest);
  }
  Seal other = ASeal();
  other.previous_digest = seals::FirstPreviousDigest();
  CHECK(DigestOf({AnEntry(), second}, other) != digest);
}

TEST_CASE("a seal told to the other side comes back as it was") {
  Seal seal = ASeal();
  seal.digest = DigestOf({AnEntry(), AnEntry()}, seal);
  const SealState state = seals::ToState(seal, SIDE_ORDER);
  CHECK(state.stamp().epoch() == 2);
  CHECK(state.stamp().version() == 1);
  CHECK(seals::FromState(state) == seal);
  CHECK(seals::KeptSeal::Of(state).AsSeal() == seal);
}

TEST_CASE("a time that no calendar has is no time") {
  CHECK(seals::TimeOf(std::numeric_limits<int64_t>::max()) == std::nullopt);
  CHECK(seals::TimeOf(std::numeric_limits<int64_t>::min()) == std::nullopt);
  CHECK(seals::TimeOf(0) == absl::FromUnixSeconds(946'684'800));
}

// --- what the other side keeps

SealState AState(int64_t number, const std::string& digest) {
  Seal seal = ASeal();
  seal.seal_number = number;
  seal.digest = digest;
  return seals::ToState(seal, SIDE_PROCESSING);
}

sync::v1::ApplySealsRequest Told(std::vector<SealState> states) {
  sync::v1::ApplySealsRequest request;
  request.mutable_sender()->set_side(SIDE_PROCESSING);
  request.mutable_sender()->set_epoch(2);
  for (SealState& state : states) *request.add_states() = std::move(state);
  return request;
}

std::string Tell(OrderDesk& desk, const sync::v1::ApplySealsRequest& request) {
  const auto response = desk.Do(seals::DecideApplySeals<order::Rows>, request);
  REQUIRE(response.ok());
  std::string verdicts;
  for (const auto& verdict : response->verdicts()) {
    verdicts += sync::v1::VerdictCode_Name(verdict.code()).substr(13) + " " +
                verdict.reason() + ";";
  }
  return verdicts;
}

const std::string kOneDigest(32, 'a');
const std::string kOtherDigest(32, 'b');

TEST_CASE("of a seal the first word counts") {
  OrderDesk desk;
  CHECK(Tell(desk, Told({AState(1, kOneDigest), AState(2, kOneDigest)})) ==
        "APPLIED ;APPLIED ;");
  CHECK(Tell(desk, Told({AState(2, kOneDigest)})) == "STALE ;");
  CHECK(desk.exceptions().empty());
  CHECK(Tell(desk, Told({AState(2, kOtherDigest), AState(3, kOneDigest)})) ==
        "POISON SEAL_DIFFERS;APPLIED ;");
  CHECK(Tell(desk, Told({AState(2, kOneDigest)})) == "STALE ;");
}

TEST_CASE("a seal that is told differently is one exception, for one epoch") {
  OrderDesk desk;
  Tell(desk, Told({AState(1, kOneDigest), AState(2, kOneDigest)}));
  Tell(desk, Told({AState(1, kOtherDigest), AState(2, kOtherDigest)}));
  Tell(desk, Told({AState(2, kOtherDigest)}));
  REQUIRE(desk.exceptions().size() == 1);
  const sync::Exception& exception = *desk.exceptions()[0];
  CHECK(exception.kind == ops::v1::EXCEPTION_KIND_SEAL_DIFFERS);
  CHECK(exception.things ==
        std::vector<std::string>{"seal:1", "audit_trail:processing"});
  CHECK(exception.must_act == options::v1::ROLE_MASTER_ADMIN);
  CHECK(exception.acting_side == SIDE_PROCESSING);
}

TEST_CASE("a person who closed that exception is not asked again and again") {
  OrderDesk desk;
  Tell(desk, Told({AState(1, kOneDigest), AState(2, kOneDigest)}));
  Tell(desk, Told({AState(1, kOtherDigest)}));
  const sync::Exception& exception = *desk.exceptions()[0];
  desk.rows().exceptions.Edit(exception).closed_at =
      absl::FromUnixSeconds(1'800'000'000);
  desk.rows().Keep();
  // The other side offers it again, now and then.
  CHECK(Tell(desk, Told({AState(1, kOtherDigest)})) == "POISON SEAL_DIFFERS;");
  CHECK(desk.exceptions().size() == 1);
  CHECK(Tell(desk, Told({AState(2, kOtherDigest)})) == "POISON SEAL_DIFFERS;");
  CHECK(desk.exceptions().size() == 2);
}

TEST_CASE("a seal with the number of an earlier epoch is another seal") {
  OrderDesk desk;
  Tell(desk, Told({AState(1, kOneDigest)}));
  SealState later = AState(1, kOtherDigest);
  later.mutable_stamp()->set_epoch(3);
  CHECK(Tell(desk, Told({later})) == "APPLIED ;");
  CHECK(desk.exceptions().empty());
}

TEST_CASE("anything but the digest makes a seal another one, too") {
  const auto alter = [](auto change) {
    OrderDesk desk;
    Tell(desk, Told({AState(1, kOneDigest)}));
    SealState state = AState(1, kOneDigest);
    change(state);
    return Tell(desk, Told({state}));
  };
  const std::string differs = "POISON SEAL_DIFFERS;";
  CHECK(alter([](SealState& s) { s.set_entry_count(1); }) == differs);
  CHECK(alter([](SealState& s) { s.set_last_entry_number(9); }) == differs);
  CHECK(alter([](SealState& s) { s.set_previous_digest(kOtherDigest); }) ==
        differs);
  CHECK(alter([](SealState& s) { s.mutable_sealed_at()->set_seconds(1); }) ==
        differs);
}

TEST_CASE("what is no seal is poison, and the others are kept") {
  const auto alter = [](auto change) {
    OrderDesk desk;
    SealState state = AState(1, kOneDigest);
    change(state);
    return Tell(desk, Told({state, AState(2, kOneDigest)}));
  };
  const std::string poison = "POISON INVALID_STATE;APPLIED ;";
  CHECK(alter([](SealState& s) { s.set_side(SIDE_ORDER); }) == poison);
  CHECK(alter([](SealState& s) { s.set_seal_number(0); }) == poison);
  CHECK(alter([](SealState& s) { s.set_last_entry_number(0); }) == poison);
  CHECK(alter([](SealState& s) { s.set_entry_count(-1); }) == poison);
  CHECK(alter([](SealState& s) { s.set_digest("short"); }) == poison);
  CHECK(alter([](SealState& s) { s.clear_previous_digest(); }) == poison);
  CHECK(alter([](SealState& s) { s.clear_sealed_at(); }) == poison);
  CHECK(alter([](SealState& s) { s.mutable_stamp()->clear_epoch(); }) ==
        poison);
}

TEST_CASE("keeping a seal is no entry of the trail") {
  // Else each seal of one side would make one of the other, without an end.
  OrderDesk desk;
  Tell(desk, Told({AState(1, kOneDigest)}));
  CHECK(desk.audit().empty());
  Tell(desk, Told({AState(1, kOtherDigest)}));
  CHECK(desk.audit().size() == 1);  // the exception
}

}  // namespace
}  // namespace mtp::tests

#include <catch2/catch.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "mtp/audit/v1/audit.pb.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/order/v1/shipments.pb.h"
#include "mtp/sync/v1/sync.pb.h"
#include "tests/support/agreement.h"
#include "tests/support/mtpctl.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using namespace ops::v1;  // NOLINT: this file's whole subject
using options::v1::ROLE_GRANDPASS_OFFICER;
using options::v1::ROLE_MASTER_ADMIN;
using sync::v1::VERDICT_CODE_APPLIED;
using sync::v1::VERDICT_CODE_POISON;
using sync::v1::VERDICT_CODE_STALE;

constexpr char kList[] = "mtp.ops.v1.OperationsService/ListDeadLetters";
constexpr char kGet[] = "mtp.ops.v1.OperationsService/GetDeadLetter";
constexpr char kRetry[] = "mtp.ops.v1.OperationsService/RetryDeadLetter";
constexpr char kDrop[] = "mtp.ops.v1.OperationsService/DropDeadLetter";
constexpr char kOutbox[] = "mtp.ops.v1.OperationsService/ListOutbox";

std::vector<DeadLetter> LettersOf(const Stack& stack, Side side,
                                  const std::string& key) {
  ListDeadLettersRequest request;
  request.set_key(key);
  for (const auto state : {DEAD_LETTER_STATE_OPEN, DEAD_LETTER_STATE_APPLIED,
                           DEAD_LETTER_STATE_DROPPED}) {
    request.add_states(state);
  }
  const auto response = stack.As(ROLE_MASTER_ADMIN, side)
                            .Call<ListDeadLettersResponse>(kList, request);
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  return {response->dead_letters().begin(), response->dead_letters().end()};
}

RetryDeadLetterRequest Retrying(const std::string& id) {
  RetryDeadLetterRequest request;
  request.set_request_id(NewRequestId());
  request.set_dead_letter_id(id);
  return request;
}

DropDeadLetterRequest Dropping(const std::string& id) {
  DropDeadLetterRequest request;
  request.set_request_id(NewRequestId());
  request.set_dead_letter_id(id);
  request.set_reason("settled by telephone");
  return request;
}

// A shipment that Grandpass cut below what Seeduwa can give back, because that
// is in parcels already: real news on the real way, and Seeduwa cannot apply
// it. What is in parcels is said to the database alone, so that it can be taken
// back at a stroke.
struct Trouble {
  explicit Trouble(Stack& on) : stack(on), story(on) {
    story.DoSteps(1, 6);
    RequireAgreement(stack);
    SetParcelled("grams");
    // Grandpass has not heard of that, else it would not cut the shipment.
    stack.Owner(SIDE_ORDER)
        .Query(
            "UPDATE shipment SET allocated_grams = 0 WHERE request_code = "
            "$1::text::bigint",
            {absl::StrCat(story.shipment.request_code())});
    Cut(Story::kBlendBagGrams + 1'000);
    REQUIRE(Eventually([&] { return Mark().poisoned(); }));
    key = KeyText(story.shipment);
    const auto letters = LettersOf(stack, SIDE_PROCESSING, key);
    REQUIRE(letters.size() == 1);
    letter = letters[0];
    id = letter.dead_letter_id();
  }

  void Cut(int64_t quantity_grams) const {
    order::v1::SetShipmentQuantityRequest request;
    *request.mutable_key() = story.shipment;
    request.set_quantity_grams(quantity_grams);
    const auto response = stack.Call<order::v1::SetShipmentQuantityResponse>(
        ROLE_GRANDPASS_OFFICER,
        "mtp.order.v1.ShipmentService/SetShipmentQuantity", request);
    INFO(response.status().ToString());
    REQUIRE(response.ok());
  }
  void SetParcelled(const std::string& grams) const {
    stack.Owner(SIDE_PROCESSING)
        .Query("UPDATE allocation SET parcelled_grams = " + grams +
                   " WHERE request_code = $1::text::bigint",
               {absl::StrCat(story.shipment.request_code())});
  }
  void MendCause() const { SetParcelled("0"); }

  // What Grandpass has to tell of the shipment; an empty one if nothing.
  OutboxEntry Mark() const {
    ListOutboxRequest request;
    request.add_kinds(sync::v1::ENTITY_KIND_SHIPMENT);
    request.set_key(KeyText(story.shipment));
    const auto response = stack.As(ROLE_MASTER_ADMIN, SIDE_ORDER)
                              .Call<ListOutboxResponse>(kOutbox, request);
    REQUIRE(response.ok());
    return response->entries().empty() ? OutboxEntry() : response->entries(0);
  }
  void OfferAgain() const {
    stack.Owner(SIDE_ORDER)
        .Query("UPDATE sync.outbox SET next_attempt_at = now()");
  }
  bool Forgotten() const {
    return Eventually([&] { return Mark().version() == 0; });
  }
  Client Admin() const { return stack.As(ROLE_MASTER_ADMIN, SIDE_PROCESSING); }
  DeadLetter Letter() const {
    GetDeadLetterRequest request;
    request.set_dead_letter_id(id);
    const auto response = Admin().Call<GetDeadLetterResponse>(kGet, request);
    REQUIRE(response.ok());
    return response->dead_letter();
  }

  Stack& stack;
  Story story;
  std::string key;
  DeadLetter letter;
  std::string id;
};

// It does not wait a minute to offer again what could not be applied.
Stack& PatientlessStack() {
  return Stack::Shared("offers again",
                       {.flags = {"--poison-retry-seconds", "1"}});
}

TEST_CASE("what cannot be applied is a letter here and poison there") {
  const Trouble trouble(Stack::Shared());
  CHECK(trouble.letter.kind() == sync::v1::ENTITY_KIND_SHIPMENT);
  CHECK(trouble.letter.key() == trouble.key);
  CHECK(trouble.letter.epoch() == 1);
  CHECK(trouble.letter.reason() == "INVALID_STATE");
  CHECK(absl::StrContains(trouble.letter.message(), "parcels"));
  CHECK(trouble.letter.state() == DEAD_LETTER_STATE_OPEN);
  CHECK(trouble.letter.attempt_count() == 1);
  CHECK(trouble.letter.correlation_ids_size() == 1);
  CHECK_FALSE(trouble.letter.has_settled_at());

  const OutboxEntry mark = trouble.Mark();
  CHECK(mark.version() == trouble.letter.version());
  CHECK(mark.attempt_count() == 1);
  CHECK(absl::StartsWith(mark.last_error(), "POISON INVALID_STATE"));
  const absl::Time next = FromProto(mark.next_attempt_at());
  CHECK(next > absl::Now());
  CHECK(next < absl::Now() + absl::Minutes(2));

  GetDeadLetterRequest request;
  request.set_dead_letter_id(trouble.id);
  const auto whole = trouble.Admin().Call<GetDeadLetterResponse>(kGet, request);
  REQUIRE(whole.ok());
  sync::v1::ShipmentState state;
  REQUIRE(state.ParseFromString(whole->state()));
  CHECK(KeyText(state.key()) == trouble.key);
  CHECK(absl::StrContains(
      whole->state_json(),
      absl::StrCat("\"quantity_grams\":\"", state.quantity_grams(), "\"")));

  // Once mended, the next offer settles it without anybody.
  trouble.MendCause();
  trouble.OfferAgain();
  CHECK(trouble.Forgotten());
  CHECK(trouble.Letter().state() == DEAD_LETTER_STATE_APPLIED);
  CHECK_FALSE(trouble.Letter().has_settled_by());
  RequireAgreement(trouble.stack);
}

TEST_CASE("a letter is retried in vain, and not once its cause is gone") {
  const Trouble trouble(Stack::Shared());
  const auto in_vain = trouble.Admin().Call<RetryDeadLetterResponse>(
      kRetry, Retrying(trouble.id));
  INFO(in_vain.status().ToString());
  REQUIRE(in_vain.ok());
  CHECK(in_vain->verdict().code() == VERDICT_CODE_POISON);
  CHECK(in_vain->verdict().reason() == "INVALID_STATE");
  CHECK(in_vain->dead_letter().state() == DEAD_LETTER_STATE_OPEN);
  CHECK(in_vain->dead_letter().attempt_count() == 2);
  CHECK(trouble.story.AtSeeduwa().allocated_grams() == Story::kOrderedGrams);

  trouble.MendCause();
  const RetryDeadLetterRequest request = Retrying(trouble.id);
  const Reply retried = trouble.Admin().Send(kRetry, request);
  RetryDeadLetterResponse response;
  REQUIRE(response.ParseFromString(retried.bytes()));
  CHECK(response.verdict().code() == VERDICT_CODE_APPLIED);
  CHECK(response.dead_letter().state() == DEAD_LETTER_STATE_APPLIED);
  CHECK(response.dead_letter().settled_by().role() == ROLE_MASTER_ADMIN);
  CHECK(response.dead_letter().attempt_count() == 3);
  // It did what the peer's call would have done.
  CHECK(trouble.story.AtSeeduwa().quantity_grams() ==
        Story::kBlendBagGrams + 1'000);
  CHECK(trouble.story.AtSeeduwa().allocated_grams() ==
        Story::kBlendBagGrams + 1'000);
  CHECK(trouble.Letter().SerializeAsString() ==
        response.dead_letter().SerializeAsString());

  // A replay applies nothing; another attempt has nothing to settle.
  CHECK(trouble.Admin().Send(kRetry, request).bytes() == retried.bytes());
  const absl::Status again =
      trouble.Admin().Send(kRetry, Retrying(trouble.id)).status;
  CHECK(again.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(errors::Reason(again) == "DEAD_LETTER_SETTLED");
  CHECK(Value(again, "state") == "APPLIED");

  // The sender hears of it when it offers the state again.
  CHECK(trouble.Mark().poisoned());
  trouble.OfferAgain();
  CHECK(trouble.Forgotten());
  RequireAgreement(trouble.stack);

  audit::v1::ListEntriesRequest entries;
  entries.mutable_thing()->set_kind("dead_letter");
  entries.mutable_thing()->set_key(trouble.id);
  const auto trail = trouble.Admin().Call<audit::v1::ListEntriesResponse>(
      "mtp.audit.v1.AuditService/ListEntries", entries);
  REQUIRE(trail.ok());
  REQUIRE(trail->entries_size() == 2);
  CHECK(absl::StrContains(trail->entries(0).change_json(), "\"APPLIED\""));
  CHECK(absl::StrContains(trail->entries(1).change_json(), "\"POISON\""));
  CHECK(trail->entries(0).things(1).kind() == "shipment");
  CHECK(trail->entries(0).things(1).key() == trouble.key);
}

TEST_CASE("a letter that many retry at once is applied once") {
  const Trouble trouble(Stack::Shared());
  trouble.MendCause();
  constexpr int kClients = 8;
  std::vector<Reply> replies(kClients);
  const Client admin = trouble.Admin();
  AtOnce(kClients, [&](int i) {
    replies[static_cast<size_t>(i)] = admin.Send(kRetry, Retrying(trouble.id));
  });
  int applied = 0;
  for (const Reply& reply : replies) {
    RetryDeadLetterResponse response;
    if (!reply.status.ok()) {
      CHECK(errors::Reason(reply.status) == "DEAD_LETTER_SETTLED");
    } else if (response.ParseFromString(reply.bytes()) &&
               response.verdict().code() == VERDICT_CODE_APPLIED) {
      ++applied;
    }
  }
  CHECK(applied == 1);
  trouble.OfferAgain();
  RequireAgreement(trouble.stack);
}

TEST_CASE("a dropped version counts as confirmed, and a newer one is applied") {
  const Trouble trouble(PatientlessStack());
  const DropDeadLetterRequest request = Dropping(trouble.id);
  const Reply dropped = trouble.Admin().Send(kDrop, request);
  DropDeadLetterResponse response;
  REQUIRE(response.ParseFromString(dropped.bytes()));
  CHECK(response.dead_letter().state() == DEAD_LETTER_STATE_DROPPED);
  CHECK(response.dead_letter().drop_reason() == "settled by telephone");
  CHECK(response.dead_letter().settled_by().subject() ==
        Identities::Subject(ROLE_MASTER_ADMIN));

  // The next offer is answered with STALE, and Seeduwa goes without it.
  CHECK(trouble.Forgotten());
  CHECK(trouble.story.AtSeeduwa().quantity_grams() == Story::kOrderedGrams);
  CHECK(trouble.Letter().SerializeAsString() ==
        response.dead_letter().SerializeAsString());
  CHECK(trouble.Admin().Send(kDrop, request).bytes() == dropped.bytes());
  CHECK(errors::Reason(
            trouble.Admin().Send(kDrop, Dropping(trouble.id)).status) ==
        "DEAD_LETTER_SETTLED");
  DropDeadLetterRequest other = request;
  other.set_reason("for another reason");
  CHECK(errors::Reason(trouble.Admin().Send(kDrop, other).status) ==
        "REQUEST_ID_REUSED");

  // While the cause is there, a newer version is a letter of its own, ...
  trouble.Cut(Story::kBlendBagGrams);
  REQUIRE(Eventually([&] { return trouble.Mark().poisoned(); }));
  const auto letters = LettersOf(trouble.stack, SIDE_PROCESSING, trouble.key);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].dead_letter_id() != trouble.id);
  CHECK(letters[0].state() == DEAD_LETTER_STATE_OPEN);
  CHECK(letters[0].version() > trouble.letter.version());
  // ... and applied when it is gone.
  trouble.MendCause();
  CHECK(trouble.Forgotten());
  CHECK(trouble.story.AtSeeduwa().quantity_grams() == Story::kBlendBagGrams);
  RequireAgreement(trouble.stack);
}

TEST_CASE("what is no dead letter of this side is not settled") {
  Stack& stack = Stack::Shared();
  for (const Side side : {SIDE_ORDER, SIDE_PROCESSING}) {
    const Client admin = stack.As(ROLE_MASTER_ADMIN, side);
    const std::string nobodys = NewRequestId();
    GetDeadLetterRequest get;
    get.set_dead_letter_id(nobodys);
    for (const absl::Status& status :
         {admin.Send(kRetry, Retrying(nobodys)).status,
          admin.Send(kDrop, Dropping(nobodys)).status,
          admin.Send(kGet, get).status}) {
      CHECK(status.code() == absl::StatusCode::kNotFound);
      CHECK(errors::Reason(status) == "DEAD_LETTER_NOT_FOUND");
    }
    DropDeadLetterRequest without_reason = Dropping(nobodys);
    without_reason.clear_reason();
    CHECK(BadFields(admin.Send(kDrop, without_reason).status) ==
          std::vector<std::string>{"reason"});
  }
}

// Letters that only a list sees, on one side, oldest first.
struct Letters {
  explicit Letters(Side at) : side(at) {
    static int64_t codes = 970'000;
    key = absl::StrCat(++codes, "/1");
    const std::string kinds[] = {"shipment", "shipment_progress", "seal"};
    const std::string ends[] = {"'OPEN', NULL, ''", "'APPLIED', now(), ''",
                                "'DROPPED', now(), 'nobody misses it'"};
    for (size_t i = 0; i < 3; ++i) {
      ids.push_back(NewRequestId());
      stack.Owner(side).Query(
          absl::StrCat("INSERT INTO sync.dead_letter (kind, key, "
                       "dead_letter_id, version, epoch, state, reason, "
                       "first_seen_at, settlement, settled_at, drop_reason) "
                       "VALUES ($1, $2, $3::text::uuid, 7, 2, '\\xffff', $4, "
                       "to_timestamp($5::text::bigint), ",
                       ends[i], ")"),
          {kinds[i], key, ids[i], i == 1 ? "UNKNOWN_SHIPMENT" : "INVALID_STATE",
           absl::StrCat(1'700'000'001 + i)});
    }
  }
  ~Letters() {
    stack.Owner(side)
        .Try("DELETE FROM sync.dead_letter WHERE key = $1", {key})
        .status()
        .IgnoreError();
  }
  // Which of them, as their places among the three.
  std::string Places(ListDeadLettersRequest request,
                     ListDeadLettersResponse* found = nullptr) const {
    request.set_key(key);
    const auto response = stack.As(ROLE_MASTER_ADMIN, side)
                              .Call<ListDeadLettersResponse>(kList, request);
    INFO(response.status().ToString());
    REQUIRE(response.ok());
    std::string places;
    for (const DeadLetter& letter : response->dead_letters()) {
      for (size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] == letter.dead_letter_id()) absl::StrAppend(&places, i);
      }
    }
    if (found != nullptr) *found = *response;
    return places;
  }
  static ListDeadLettersRequest OfAnyState() {
    ListDeadLettersRequest request;
    request.add_states(DEAD_LETTER_STATE_OPEN);
    request.add_states(DEAD_LETTER_STATE_APPLIED);
    request.add_states(DEAD_LETTER_STATE_DROPPED);
    return request;
  }

  Stack& stack = Stack::Shared();
  const Side side;
  std::string key;
  std::vector<std::string> ids;
};

TEST_CASE("dead letters are listed by state, kind, reason and time, in pages") {
  const Letters letters(GENERATE(SIDE_ORDER, SIDE_PROCESSING));
  CHECK(letters.Places({}) == "0");
  ListDeadLettersRequest request = Letters::OfAnyState();
  CHECK(letters.Places(request) == "210");
  request.set_order_by(LIST_DEAD_LETTERS_ORDER_RECEIVED);
  CHECK(letters.Places(request) == "012");
  request.add_kinds(sync::v1::ENTITY_KIND_SEAL);
  CHECK(letters.Places(request) == "2");
  request.add_kinds(sync::v1::ENTITY_KIND_SHIPMENT);
  CHECK(letters.Places(request) == "02");
  request.clear_kinds();
  request.set_reason("UNKNOWN_SHIPMENT");
  CHECK(letters.Places(request) == "1");
  request.clear_reason();
  request.mutable_received_from()->set_seconds(1'700'000'002);
  CHECK(letters.Places(request) == "12");
  request.mutable_received_before()->set_seconds(1'700'000'003);
  CHECK(letters.Places(request) == "1");

  for (const auto order : {LIST_DEAD_LETTERS_ORDER_RECEIVED,
                           LIST_DEAD_LETTERS_ORDER_RECEIVED_DESCENDING}) {
    ListDeadLettersRequest paged = Letters::OfAnyState();
    paged.set_order_by(order);
    paged.set_page_size(2);
    paged.set_key(letters.key);  // the token is for it
    ListDeadLettersResponse page;
    std::string places = letters.Places(paged, &page);
    CHECK(places.size() == 2);
    paged.set_page_token(page.next_page_token());
    places += letters.Places(paged, &page);
    CHECK(places ==
          (order == LIST_DEAD_LETTERS_ORDER_RECEIVED ? "012" : "210"));
    CHECK(page.next_page_token().empty());
  }
}

TEST_CASE("a letter that cannot be read is shown, and kept when retried") {
  const Letters letters(SIDE_ORDER);
  const Client admin = letters.stack.As(ROLE_MASTER_ADMIN, SIDE_ORDER);
  GetDeadLetterRequest get;
  get.set_dead_letter_id(letters.ids[0]);
  const auto whole = admin.Call<GetDeadLetterResponse>(kGet, get);
  REQUIRE(whole.ok());
  CHECK(whole->state() == "\xff\xff");
  CHECK(whole->state_json().empty());
  const auto retried =
      admin.Call<RetryDeadLetterResponse>(kRetry, Retrying(letters.ids[0]));
  REQUIRE(retried.ok());
  CHECK(retried->verdict().reason() == "UNREADABLE_STATE");
  CHECK(retried->dead_letter().state() == DEAD_LETTER_STATE_OPEN);
  CHECK(retried->dead_letter().attempt_count() == 2);
}

TEST_CASE("a revocation out of a letter is in force within seconds") {
  Stack& stack = Stack::Shared();
  const std::string subject = NewRequestId();
  sync::v1::RevocationState state;
  state.mutable_stamp()->set_epoch(1);
  state.mutable_stamp()->set_version(1);
  state.set_subject(subject);
  state.mutable_refuse_issued_before()->set_seconds(1'700'000'000);
  const std::string id = NewRequestId();
  stack.Owner(SIDE_PROCESSING)
      .Query(
          "INSERT INTO sync.dead_letter (kind, key, dead_letter_id, version, "
          "epoch, state, reason) VALUES ('revocation', $1, $2::text::uuid, 1, "
          "1, decode($3, 'hex'), 'INVALID_STATE')",
          {subject, id, absl::BytesToHexString(state.SerializeAsString())});
  const auto retried = stack.As(ROLE_MASTER_ADMIN, SIDE_PROCESSING)
                           .Call<RetryDeadLetterResponse>(kRetry, Retrying(id));
  REQUIRE(retried.ok());
  CHECK(retried->verdict().code() == VERDICT_CODE_APPLIED);
  CHECK(stack.Database(SIDE_PROCESSING)
            .Number("SELECT count(*) FROM revoked_user WHERE subject = "
                    "$1::text::uuid",
                    {subject}) == 1);
}

TEST_CASE("mtpctl shows, retries and drops dead letters") {
  const Trouble trouble(Stack::Shared());
  const Mtpctl mtpctl(trouble.stack);
  const std::string list = mtpctl.Do({"sync", "dead-letters", "list"});
  CHECK(absl::StrContains(list, trouble.id));
  CHECK(absl::StrContains(list, "PROCESSING"));
  CHECK(absl::StrContains(list, "retry ID"));
  CHECK(absl::StrContains(mtpctl.Do({"sync", "status"}), "dead-letters list"));
  CHECK(absl::StrContains(mtpctl.Do({"sync", "outbox"}), "dead letter there"));
  const auto at = [](std::vector<std::string> words) {
    words.insert(words.begin(),
                 {"--side", "processing", "sync", "dead-letters"});
    return words;
  };
  CHECK(absl::StrContains(mtpctl.Do(at({"show", trouble.id})),
                          "\"quantity_grams\""));
  const Outcome in_vain = mtpctl.Try(at({"retry", trouble.id}));
  CHECK(in_vain.exit_code == 2);
  CHECK(absl::StrContains(in_vain.output, "still cannot be applied"));
  CHECK(mtpctl.Try(at({"drop", trouble.id})).exit_code == 1);
  CHECK(absl::StrContains(
      mtpctl.Do(at({"drop", trouble.id, "--reason", "we know"})), "we know"));
  CHECK(mtpctl.Try(at({"drop", trouble.id, "--reason", "x"})).exit_code == 2);
  const Outcome elsewhere = mtpctl.Try(
      {"--side", "order", "sync", "dead-letters", "show", trouble.id});
  CHECK(elsewhere.exit_code == 2);
  CHECK(absl::StrContains(elsewhere.output, "--side says whose"));

  trouble.MendCause();
  trouble.Cut(Story::kBlendBagGrams);
  RequireAgreement(trouble.stack);
}

}  // namespace
}  // namespace mtp::tests

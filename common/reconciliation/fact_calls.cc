#include "common/reconciliation/fact_calls.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/paging.h"
#include "common/sync/link_state.h"
#include "common/sync/receiver.h"
#include "mtp/sync/v1/sync.pb.h"

namespace mtp::reconciliation {
namespace {

using sync::v1::GetDigestsRequest;
using sync::v1::GetDigestsResponse;
using sync::v1::ListStatesRequest;
using sync::v1::ListStatesResponse;
using sync::v1::State;

constexpr size_t kPageBytes = 2 << 20;

// In front of what is asked for, in the same snapshot. Its result lies behind
// that of BEGIN.
constexpr size_t kLinkResult = 1;
constexpr size_t kFirstResult = 2;

absl::Status WrongOwner(sync::v1::EntityKind kind, common::v1::Side owner) {
  return errors::Make(absl::StatusCode::kInvalidArgument, "WRONG_OWNER",
                      "the named owner does not own this kind",
                      {{"kind", sync::v1::EntityKind_Name(kind)},
                       {"owner", common::v1::Side_Name(owner)}});
}

absl::Status CheckBuckets(
    const google::protobuf::RepeatedField<int32_t>& buckets,
    int32_t bucket_count) {
  if (std::all_of(buckets.begin(), buckets.end(),
                  [&](int32_t bucket) { return bucket < bucket_count; }))
    return absl::OkStatus();
  return errors::InvalidField("buckets", "must be below bucket_count");
}

// A fact as it is told: those of this side's own bear its epoch.
State ReadStamped(const Facts& facts, const db::Row& row, int64_t own_epoch) {
  State state = facts.read(row);
  sync::v1::Stamp& stamp = StampOf(state);
  if (stamp.epoch() == 0) stamp.set_epoch(own_epoch);
  return state;
}

template <typename Request, typename Response>
void AnswerWith(
    handlers::QueryLanes& lanes, std::shared_ptr<rpc::Call> call,
    absl::StatusOr<db::Results> results,
    const std::function<void(const Request&, const db::Results&,
                             const sync::LinkState&, Response&)>& answer) {
  if (!results.ok()) return call->Fail(results.status());
  const auto& request = static_cast<const Request&>(*call->message);
  sync::LinkState link = sync::ReadLinkState((*results)[kLinkResult][0]);
  // Both sides may take back what they lost at the same time: what is here is
  // the best there is.
  link.recovering = false;
  Response response;
  *response.mutable_receipt() = sync::ReceiptFor(request.sender(), link);
  // Who asks tells nothing: this is what was known before.
  response.mutable_receipt()->set_sender_epoch(link.peer_epoch);
  if (response.receipt().refusal() == sync::v1::REFUSAL_UNSPECIFIED)
    answer(request, *results, link, response);
  std::string reply = response.SerializeAsString();
  if (response.receipt().refusal() != sync::v1::REFUSAL_VERSIONS_FELL_BACK ||
      link.halted) {
    return call->Reply(std::move(reply));
  }
  // Kept before it is said: its numbers grow again, and what it lost must not
  // look like drift then. The one thing that is written here, alone and as well
  // twice; a side that is read from a replica would have to make it a command.
  db::Exchange halt;
  sync::HaltPeer(link.peer_epoch, sync::FellBackReason(request.sender(), link),
                 halt);
  const absl::Time deadline = call->deadline;
  lanes.Ask(std::move(halt), deadline,
            [call = std::move(call), reply = std::move(reply)](
                const absl::StatusOr<db::Results>& halted) {
              if (!halted.ok()) return call->Fail(halted.status());
              call->Reply(reply);
            });
}

}  // namespace

FactCalls::FactCalls(const std::vector<Facts>& facts,
                     handlers::QueryLanes& lanes, rpc::Router& router)
    : facts_(facts), lanes_(lanes) {
  router.Route(
      "mtp.sync.v1.SyncService/GetDigests",
      [this](std::unique_ptr<rpc::Call> call) { GetDigests(std::move(call)); });
  router.Route(
      "mtp.sync.v1.SyncService/ListStates",
      [this](std::unique_ptr<rpc::Call> call) { ListStates(std::move(call)); });
}

void FactCalls::GetDigests(std::unique_ptr<rpc::Call> call) {
  const auto& request = static_cast<const GetDigestsRequest&>(*call->message);
  const Facts* facts = Find(facts_, request.kind(), request.owner());
  if (facts == nullptr)
    return call->Fail(WrongOwner(request.kind(), request.owner()));
  if (auto wrong = CheckBuckets(request.buckets(), request.bucket_count());
      !wrong.ok())
    return call->Fail(wrong);
  const std::vector<int64_t> buckets(request.buckets().begin(),
                                     request.buckets().end());
  db::Exchange exchange;
  exchange.Add(sync::kReadLinkState);
  exchange.Add(facts->greatest);
  exchange.Add(facts->page,
               db::Params()
                   .Add(std::string())
                   .Add<int64_t>(0)
                   .Add<int64_t>(buckets.empty() ? 0 : request.bucket_count())
                   .Array(buckets)
                   .Add(std::numeric_limits<int64_t>::max()));
  const absl::Time deadline = call->deadline;
  lanes_.Ask(
      exchange.InSnapshot(), deadline,
      [this, facts, call = std::shared_ptr<rpc::Call>(std::move(call))](
          absl::StatusOr<db::Results> results) {
        AnswerWith<GetDigestsRequest, GetDigestsResponse>(
            lanes_, call, std::move(results),
            [facts](const GetDigestsRequest& asked, const db::Results& found,
                    const sync::LinkState& link, GetDigestsResponse& response) {
              int64_t version = 0;
              int64_t code = 0;
              found[kFirstResult][0].Into(version, code);
              response.set_highest_version(version);
              response.set_highest_code(code);
              const Digested digested = asked.with_versions()
                                            ? Digested::kVersioned
                                            : Digested::kContent;
              std::map<int64_t, BucketDigester> digests;
              for (const db::Row row : found[kFirstResult + 1]) {
                State state = facts->read(row);
                sync::v1::Stamp& stamp = StampOf(state);
                // A copy of an epoch that its owner has not begun differs from
                // whatever that has.
                if (stamp.epoch() > link.peer_epoch) stamp.clear_version();
                digests
                    .try_emplace(BucketOf(KeyOf(state), asked.bucket_count()),
                                 digested)
                    .first->second.Add(state);
              }
              for (const auto& [bucket, digester] : digests) {
                sync::v1::BucketDigest& digest = *response.add_digests();
                digest.set_bucket(static_cast<int32_t>(bucket));
                digest.set_digest(digester.Finish());
                digest.set_state_count(digester.state_count());
              }
            });
      },
      handlers::Reach::kTable);
}

void FactCalls::ListStates(std::unique_ptr<rpc::Call> call) {
  const auto& request = static_cast<const ListStatesRequest&>(*call->message);
  const Facts* facts = Find(facts_, request.kind(), request.owner());
  if (facts == nullptr)
    return call->Fail(WrongOwner(request.kind(), request.owner()));
  if (request.bucket_count() > 0 &&
      request.bucket() >= request.bucket_count()) {
    return call->Fail(
        errors::InvalidField("bucket", "must be below bucket_count"));
  }
  if (auto wrong = CheckBuckets(request.buckets(), request.bucket_count());
      !wrong.ok())
    return call->Fail(wrong);
  std::vector<int64_t> buckets(request.buckets().begin(),
                               request.buckets().end());
  if (buckets.empty()) buckets.push_back(request.bucket());
  absl::StatusOr<std::vector<std::string>> after =
      handlers::PageKeys(request, 2);
  if (!after.ok()) return call->Fail(after.status());
  after->resize(2);
  int64_t after_epoch = 0;
  if (!(*after)[0].empty() && !absl::SimpleAtoi((*after)[1], &after_epoch))
    return call->Fail(handlers::PageTokenInvalid());
  db::Exchange exchange;
  exchange.Add(sync::kReadLinkState);
  if (request.keys().empty()) {
    exchange.Add(facts->page,
                 db::Params()
                     .Add((*after)[0])
                     .Add(after_epoch)
                     .Add<int64_t>(request.bucket_count())
                     .Array(buckets)
                     .Add(handlers::PageSize(request.page_size()) + 1));
  } else {
    exchange.Add(facts->by_keys,
                 db::Params().Array(std::vector<std::string>(
                     request.keys().begin(), request.keys().end())));
  }
  const absl::Time deadline = call->deadline;
  const std::pair<std::string, int64_t> last((*after)[0], after_epoch);
  lanes_.Ask(
      exchange.InSnapshot(), deadline,
      [this, facts, last, call = std::shared_ptr<rpc::Call>(std::move(call))](
          absl::StatusOr<db::Results> results) {
        AnswerWith<ListStatesRequest, ListStatesResponse>(
            lanes_, call, std::move(results),
            [facts, last](const ListStatesRequest& asked,
                          const db::Results& found, const sync::LinkState& link,
                          ListStatesResponse& response) {
              *response.mutable_buckets() = asked.buckets();
              size_t bytes = 0;
              std::pair<std::string, int64_t> shown = last;
              for (const db::Row row : found[kFirstResult]) {
                // The order that the statement has; its own facts have epoch
                // 0 there.
                const std::pair<std::string, int64_t> place(
                    row.Get<std::string>(0), row.Get<int64_t>(1));
                if (!last.first.empty() && place <= last) continue;
                if (response.states_size() ==
                        handlers::PageSize(asked.page_size()) ||
                    bytes >= kPageBytes) {
                  response.set_next_page_token(handlers::NextPageToken(
                      asked, {shown.first, absl::StrCat(shown.second)}));
                  break;
                }
                State& state = *response.add_states();
                state = ReadStamped(*facts, row, link.own_epoch);
                bytes += state.ByteSizeLong();
                shown = place;
              }
            });
      },
      handlers::Reach::kTable);
}

}  // namespace mtp::reconciliation

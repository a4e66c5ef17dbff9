#include "processing_service/grandpass_keys.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/base/status.h"
#include "mtp/order/v1/sessions.pb.h"
#include "nlohmann/json.hpp"

namespace mtp::processing {
namespace {

using nlohmann::json;

constexpr db::Statement kRecall{
    "SELECT jwk::text FROM grandpass_key ORDER BY key_id"};

// One statement, so that two replicas that hear the same do not meet halfway.
constexpr db::Statement kKeep{R"(
  WITH gone AS (
    DELETE FROM grandpass_key WHERE NOT key_id = ANY ($1::text[]))
  INSERT INTO grandpass_key (key_id, jwk)
  SELECT key_id, jwk::jsonb FROM unnest($1::text[], $2::text[]) AS heard (key_id, jwk)
  ORDER BY key_id
  ON CONFLICT (key_id) DO UPDATE SET jwk = excluded.jwk, heard_at = now()
)"};

absl::StatusOr<rpc::TokenKeys> KeysIn(const std::vector<std::string>& jwks) {
  // Grandpass may have none: then nobody has a token of its.
  if (jwks.empty()) return rpc::TokenKeys();
  return rpc::ParseJwks(
      absl::StrCat("{\"keys\":[", absl::StrJoin(jwks, ","), "]}"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrandpassKeys>> GrandpassKeys::Open(
    Options options) {
  std::unique_ptr<GrandpassKeys> keys(new GrandpassKeys(std::move(options)));
  RETURN_IF_ERROR(keys->Recall());
  if (keys->options_.peer == nullptr) return keys;
  keys->options_.board->OnMissed([k = keys.get()] {
    {
      std::lock_guard lock(k->mutex_);
      if (std::exchange(k->missed_, true)) return;
    }
    k->changed_.notify_all();
  });
  keys->watcher_ = std::thread([k = keys.get()] { k->Watch(); });
  return keys;
}

GrandpassKeys::GrandpassKeys(Options options)
    : options_(std::move(options)), session_(options_.database) {}

GrandpassKeys::~GrandpassKeys() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  options_.board->OnMissed({});
}

absl::Status GrandpassKeys::Recall() {
  ASSIGN_OR_RETURN(db::Connection * connection, session_.Get());
  ASSIGN_OR_RETURN(const db::Result result, connection->Run(kRecall));
  for (const db::Row row : result) kept_.push_back(row.Get<std::string>(0));
  ASSIGN_OR_RETURN(rpc::TokenKeys keys, KeysIn(kept_));
  options_.board->Put(std::move(keys));
  // As they were kept they need not be what will be heard, byte for byte.
  kept_.clear();
  return absl::OkStatus();
}

absl::Status GrandpassKeys::Ask() {
  ASSIGN_OR_RETURN(
      const order::v1::GetJsonWebKeySetResponse response,
      rpc::CallAndWait<order::v1::GetJsonWebKeySetResponse>(
          *options_.peer, "mtp.order.v1.SessionService/GetJsonWebKeySet",
          order::v1::GetJsonWebKeySetRequest(),
          absl::Now() + options_.call_deadline));
  std::vector<std::string> ids, jwks;
  for (const order::v1::JsonWebKey& key : response.keys()) {
    ids.push_back(key.kid());
    jwks.push_back(json{
        {"kid", key.kid()},
        {"kty", key.kty()},
        {"crv", key.crv()},
        {"alg", key.alg()},
        {"use", key.use()},
        {"x", key.x()},
        {"y", key.y()}}.dump());
  }
  ASSIGN_OR_RETURN(rpc::TokenKeys keys, KeysIn(jwks));
  options_.board->Put(std::move(keys));
  return Keep(ids, jwks);
}

absl::Status GrandpassKeys::Keep(const std::vector<std::string>& ids,
                                 const std::vector<std::string>& jwks) {
  if (jwks == kept_) return absl::OkStatus();
  ASSIGN_OR_RETURN(db::Connection * connection, session_.Get());
  RETURN_IF_ERROR(
      connection->Run(kKeep, db::Params().Array(ids).Array(jwks)).status());
  kept_ = jwks;
  return absl::OkStatus();
}

bool GrandpassKeys::Wait(absl::Duration length, bool or_missed) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, absl::ToChronoNanoseconds(length),
                    [&] { return stopping_ || (or_missed && missed_); });
  return !stopping_;
}

void GrandpassKeys::Watch() {
  bool failing = false;
  do {
    {
      std::lock_guard lock(mutex_);
      missed_ = false;
    }
    const absl::Status status = Ask();
    // Once per outage is enough.
    if (!std::exchange(failing, !status.ok()) && !status.ok() &&
        options_.log_failure) {
      options_.log_failure(status);
    }
  } while (Wait(options_.least, false) &&
           Wait(failing ? options_.least : options_.poll, true));
}

}  // namespace mtp::processing

#include "common/sync/idempotency.h"

#include <sodium.h>

namespace mtp::sync {
namespace {

constexpr db::Statement kProbe{R"(
  SELECT done.request_id, done.caller, done.method, done.content_digest, done.reply
  FROM unnest($1::uuid[], $2::text[], $3::text[]) AS asked (request_id, caller, method)
  JOIN sync.idempotency_key AS done USING (request_id, caller, method)
)"};

constexpr db::Statement kStoreKeys{R"(
  INSERT INTO sync.idempotency_key (request_id, caller, method, content_digest, reply)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::bytea[])
)"};

constexpr db::Statement kPurge{R"(
  DELETE FROM sync.idempotency_key WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM sync.idempotency_key
    WHERE created_at < now() - make_interval(secs => $1::bigint)
    LIMIT $2::bigint))
)"};

}  // namespace

std::string ContentDigest(std::string_view request) {
  std::string digest(crypto_generichash_BYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()),
                     digest.size(),
                     reinterpret_cast<const unsigned char*>(request.data()),
                     request.size(), nullptr, 0);
  return digest;
}

void AddProbe(const std::vector<IdempotencyKey>& keys, db::Exchange& exchange) {
  exchange.Add(kProbe, db::Params()
                           .Array(keys, &IdempotencyKey::request_id)
                           .Array(keys, &IdempotencyKey::caller)
                           .Array(keys, &IdempotencyKey::method));
}

absl::flat_hash_map<IdempotencyKey, Done> TakeProbe(const db::Result& result) {
  absl::flat_hash_map<IdempotencyKey, Done> all;
  for (const db::Row row : result) {
    Done done;
    db::Bytes digest;
    db::Bytes reply;
    row.Into(done.key.request_id, done.key.caller, done.key.method, digest,
             reply);
    done.content_digest = std::move(digest.value);
    done.reply = std::move(reply.value);
    IdempotencyKey key = done.key;
    all.emplace(std::move(key), std::move(done));
  }
  return all;
}

void AddKeys(const std::vector<Done>& done, db::Exchange& exchange) {
  if (done.empty()) return;
  exchange.Add(
      kStoreKeys,
      db::Params()
          .Array(done, [](const Done& d) { return d.key.request_id; })
          .Array(
              done, [](const Done& d) -> const auto& { return d.key.caller; })
          .Array(
              done, [](const Done& d) -> const auto& { return d.key.method; })
          .Array(done,
                 [](const Done& d) { return db::Bytes{d.content_digest}; })
          .Array(done, [](const Done& d) { return db::Bytes{d.reply}; }));
}

db::Statement PurgeStatement() { return kPurge; }

db::Params PurgeParams(int64_t age_seconds, int64_t limit) {
  return db::Params().Add(age_seconds).Add(limit);
}

}  // namespace mtp::sync

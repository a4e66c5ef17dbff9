#include "common/seals/seal.h"

#include <algorithm>

#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

namespace mtp::seals {
namespace {

// Some hundred kilobytes at a time.
constexpr int64_t kPageSize = 1000;

constexpr db::Statement kEntries{R"(
  SELECT entry_id, timestamptz_send(occurred_at), timestamptz_send(recorded_at), caller,
    username, role, method, request_id, correlation_id, remote_address, remarks,
    entity_kind, entity_key, action, change::text
  FROM audit.entry
  WHERE entry_id BETWEEN $1::bigint AND $2::bigint
  ORDER BY entry_id
  LIMIT $3::bigint
)"};

const absl::Time kDatabaseEpoch = absl::FromUnixSeconds(946'684'800);
// What google.protobuf.Timestamp holds.
constexpr int64_t kFirstTellable = -62'135'596'800;
constexpr int64_t kLastTellable = 253'402'300'799;

int64_t Number(const db::Bytes& sent) {
  return db::ReadBigEndian<int64_t>(sent.value);
}

Entry ReadEntry(const db::Row& row) {
  Entry entry;
  db::Bytes occurred_at;
  db::Bytes recorded_at;
  std::optional<Uuid> request_id;
  row.Into(entry.entry_id, occurred_at, recorded_at, entry.caller,
           entry.username, entry.role, entry.method, request_id,
           entry.correlation_id, entry.remote_address, entry.remarks,
           entry.entity_kind, entry.entity_key, entry.action, entry.change);
  entry.occurred_at = Number(occurred_at);
  entry.recorded_at = Number(recorded_at);
  if (request_id.has_value()) entry.request_id = request_id->ToString();
  return entry;
}

void AppendText(std::string& out, const std::string& text) {
  db::AppendBigEndian(out, static_cast<int32_t>(text.size()));
  out.append(text);
}

const unsigned char* Unsigned(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

std::string Encoding(const Entry& entry) {
  std::string bytes;
  for (const int64_t number :
       {entry.entry_id, entry.occurred_at, entry.recorded_at}) {
    db::AppendBigEndian(bytes, number);
  }
  for (const std::string* text :
       {&entry.caller, &entry.username, &entry.role, &entry.method,
        &entry.request_id, &entry.correlation_id, &entry.remote_address,
        &entry.remarks, &entry.entity_kind, &entry.entity_key, &entry.action,
        &entry.change}) {
    AppendText(bytes, *text);
  }
  return bytes;
}

std::string EntryDigest(const Entry& entry) {
  const std::string bytes = Encoding(entry);
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(digest.data()),
                     Unsigned(bytes), bytes.size());
  return digest;
}

Seal ReadSeal(const db::Row& row) {
  Seal seal;
  db::Bytes previous_digest;
  db::Bytes digest;
  db::Bytes sealed_at;
  row.Into(seal.seal_number, seal.epoch, seal.last_entry_id, seal.entry_count,
           previous_digest, digest, sealed_at);
  seal.previous_digest = std::move(previous_digest.value);
  seal.digest = std::move(digest.value);
  seal.sealed_at = Number(sealed_at);
  return seal;
}

std::string FirstPreviousDigest() { return std::string(kDigestBytes, '\0'); }

SealDigest::SealDigest(std::string_view previous_digest) {
  crypto_hash_sha256_init(&state_);
  crypto_hash_sha256_update(&state_, Unsigned(previous_digest),
                            previous_digest.size());
}

void SealDigest::Add(const Entry& entry) {
  const std::string digest = EntryDigest(entry);
  crypto_hash_sha256_update(&state_, Unsigned(digest), digest.size());
  ++entry_count_;
  last_entry_id_ = entry.entry_id;
}

std::string SealDigest::Finish(const Seal& seal) {
  std::string rest;
  for (const int64_t number : {seal.seal_number, seal.epoch, seal.last_entry_id,
                               seal.entry_count, seal.sealed_at}) {
    db::AppendBigEndian(rest, number);
  }
  crypto_hash_sha256_update(&state_, Unsigned(rest), rest.size());
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256_final(&state_,
                           reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

absl::Status AddEntries(db::Connection& connection, const Stretch& stretch,
                        int64_t limit, const std::function<bool()>& stop,
                        SealDigest& digest) {
  int64_t first = stretch.first_entry_id;
  while (limit > 0 && first <= stretch.last_entry_id) {
    if (stop()) return absl::CancelledError("told to stop");
    const int64_t page = std::min(limit, kPageSize);
    ASSIGN_OR_RETURN(
        const db::Result rows,
        connection.Run(
            kEntries,
            db::Params().Add(first).Add(stretch.last_entry_id).Add(page)));
    for (const db::Row row : rows) digest.Add(ReadEntry(row));
    // The last there can be has none after it.
    if (rows.size() < page || digest.last_entry_id() == stretch.last_entry_id)
      break;
    first = digest.last_entry_id() + 1;
    limit -= page;
  }
  return absl::OkStatus();
}

std::optional<absl::Time> TimeOf(int64_t database_time) {
  const absl::Time time = kDatabaseEpoch + absl::Microseconds(database_time);
  const int64_t seconds = absl::ToUnixSeconds(time);
  if (seconds < kFirstTellable || seconds > kLastTellable) return std::nullopt;
  return time;
}

int64_t DatabaseTime(absl::Time time) {
  return absl::ToInt64Microseconds(time - kDatabaseEpoch);
}

sync::v1::SealState ToState(const Seal& seal, common::v1::Side side) {
  sync::v1::SealState state;
  state.mutable_stamp()->set_epoch(seal.epoch);
  state.mutable_stamp()->set_version(1);
  state.set_side(side);
  state.set_seal_number(seal.seal_number);
  state.set_last_entry_number(seal.last_entry_id);
  state.set_entry_count(seal.entry_count);
  state.set_previous_digest(seal.previous_digest);
  state.set_digest(seal.digest);
  if (const auto time = TimeOf(seal.sealed_at); time.has_value()) {
    *state.mutable_sealed_at() = ToProto(*time);
    *state.mutable_stamp()->mutable_changed_at() = state.sealed_at();
  }
  return state;
}

Seal FromState(const sync::v1::SealState& state) {
  return {.seal_number = state.seal_number(),
          .epoch = state.stamp().epoch(),
          .last_entry_id = state.last_entry_number(),
          .entry_count = state.entry_count(),
          .previous_digest = state.previous_digest(),
          .digest = state.digest(),
          .sealed_at = DatabaseTime(FromProto(state.sealed_at()))};
}

}  // namespace mtp::seals

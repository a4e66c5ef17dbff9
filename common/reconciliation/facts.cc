#include "common/reconciliation/facts.h"

#include <openssl/sha.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/base/protos.h"
#include "common/reconciliation/contents.h"

namespace mtp::reconciliation {
namespace {

using sync::v1::Stamp;
using sync::v1::State;

std::string Sha256(std::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

void AddBigEndian(int64_t number, std::string& bytes) {
  for (int shift = 56; shift >= 0; shift -= 8)
    bytes += static_cast<char>(static_cast<uint64_t>(number) >> shift & 0xff);
}

// The one field that a State has, whatever its kind.
const google::protobuf::FieldDescriptor* FieldOf(const State& state) {
  return state.GetReflection()->GetOneofFieldDescriptor(
      state, State::descriptor()->oneof_decl(0));
}

google::protobuf::Message& Content(State& state) {
  return *state.GetReflection()->MutableMessage(&state, FieldOf(state));
}

const google::protobuf::FieldDescriptor* StampField(
    const google::protobuf::Message& content) {
  return content.GetDescriptor()->FindFieldByName("stamp");
}

}  // namespace

db::Statement SelectPage(std::string_view select) {
  return db::Compose({"SELECT * FROM (", select, R"() AS fact
    WHERE ($1::text = '' OR (key COLLATE "C", epoch) > ($1::text, $2::bigint))
      AND ($3::bigint = 0 OR )",
                      kKeyHash,
                      R"( % greatest($3::bigint, 1) = ANY ($4::bigint[]))
    ORDER BY key COLLATE "C", epoch LIMIT $5::bigint)"});
}

db::Statement SelectByKeys(std::string_view select) {
  return db::Compose({"SELECT * FROM (", select, R"() AS fact
    WHERE key = ANY ($1::text[]) ORDER BY key COLLATE "C", epoch)"});
}

// The content stays, and with it the time from which it holds: the least later
// than before, so that versions of one past follow each other in time.
db::Statement Raise(std::string_view table, std::string_view is_key) {
  return db::Compose({"UPDATE ", table, R"(
    SET version = greatest(version, beyond) + 1,
      changed_at = changed_at + interval '1 microsecond'
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS raised (key, seen, beyond)
    WHERE version = seen AND )",
                      is_key, " RETURNING key, version"});
}

const google::protobuf::Message& ContentOf(const State& state) {
  return state.GetReflection()->GetMessage(state, FieldOf(state));
}

const Stamp& StampOf(const State& state) {
  const google::protobuf::Message& content = ContentOf(state);
  return static_cast<const Stamp&>(
      content.GetReflection()->GetMessage(content, StampField(content)));
}

Stamp& StampOf(State& state) {
  google::protobuf::Message& content = Content(state);
  return static_cast<Stamp&>(
      *content.GetReflection()->MutableMessage(&content, StampField(content)));
}

std::string KeyOf(const State& state) {
  switch (state.state_case()) {
    case State::kShipment:
      return KeyText(state.shipment().key());
    case State::kSchedule:
      return absl::StrCat(state.schedule().schedule_code());
    case State::kRevocation:
      return state.revocation().subject();
    case State::kShipmentProgress:
      return KeyText(state.shipment_progress().key());
    case State::kScheduleProgress:
      return absl::StrCat(state.schedule_progress().schedule_code());
    case State::kSeal:
      return absl::StrCat(state.seal().seal_number());
    case State::STATE_NOT_SET:
      break;
  }
  return "";
}

// Serialisation writes the fields in the order of their numbers and leaves out
// those at their default; the messages have no maps.
std::string ContentDigest(const State& state) {
  State copy = state;
  google::protobuf::Message& content = Content(copy);
  content.GetReflection()->ClearField(&content, StampField(content));
  return Sha256(content.SerializeAsString());
}

std::string VersionedDigest(const State& state) {
  const Stamp& stamp = StampOf(state);
  std::string bytes = ContentDigest(state);
  AddBigEndian(stamp.version(), bytes);
  AddBigEndian(absl::ToUnixMicros(FromProto(stamp.changed_at())), bytes);
  return Sha256(bytes);
}

int64_t BucketOf(std::string_view key, int64_t bucket_count) {
  const std::string digest = Sha256(key);
  uint32_t hash = 0;
  for (int i = 0; i < 4; ++i) {
    hash = hash << 8 | static_cast<uint8_t>(digest[static_cast<size_t>(i)]);
  }
  return static_cast<int64_t>(hash) % bucket_count;
}

void BucketDigester::Add(const State& state) {
  digests_ += digested_ == Digested::kVersioned ? VersionedDigest(state)
                                                : ContentDigest(state);
  ++state_count_;
}

std::string BucketDigester::Finish() const { return Sha256(digests_); }

const Facts* Find(const std::vector<Facts>& all, sync::v1::EntityKind kind,
                  common::v1::Side owner) {
  for (const Facts& facts : all) {
    if (facts.kind == kind && facts.owner == owner) return &facts;
  }
  return nullptr;
}

}  // namespace mtp::reconciliation

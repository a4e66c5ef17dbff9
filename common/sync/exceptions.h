#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/common/v1/common.pb.h"
#include "mtp/ops/v1/operations.pb.h"
#include "mtp/options/v1/role.pb.h"

namespace mtp::sync {

// Facts of both sides that do not fit together and that no program can mend:
// kept open in sync.exception until a person closes it with a reason. The same
// trouble, known by its dedupe_key, is open once: inserting it again is
// harmless.
struct Exception {
  using Key = Uuid;

  Uuid exception_id;
  ops::v1::ExceptionKind kind = ops::v1::EXCEPTION_KIND_UNSPECIFIED;
  // Kind and key of each (ThingText), the main thing first.
  std::vector<std::string> things;
  // The grams that do not fit, by name: {"ordered", 500000}.
  std::vector<std::pair<std::string, int64_t>> amounts;
  std::string description;
  options::v1::Role must_act = options::v1::ROLE_UNSPECIFIED;
  common::v1::Side acting_side = common::v1::SIDE_UNSPECIFIED;
  std::string dedupe_key;
  absl::Time opened_at;
  std::string correlation_id;
  std::optional<absl::Time> closed_at;
  std::string closed_by;
  std::string closed_by_username;
  options::v1::Role closed_by_role = options::v1::ROLE_UNSPECIFIED;
  std::string closed_reason;
  // What the table has for `amounts`; empty until it was loaded.
  std::string stored_amounts;

  Key key() const { return exception_id; }
  bool IsOpenOf(std::string_view thing) const;
  std::string JoinedThings() const;
  std::string AmountsAsJson() const;

  static const db::Statement kLoad;             // FOR UPDATE, by exception_id
  static const db::Statement kLoadOpenOfThing;  // by thing, not locked
  static const db::Statement kInsert;
  static const db::Statement kUpdate;  // closing it; nothing else changes
  static constexpr auto kLoaded = std::tuple(
      &Exception::exception_id, &Exception::kind, &Exception::things,
      &Exception::description, &Exception::must_act, &Exception::acting_side,
      &Exception::dedupe_key, &Exception::opened_at, &Exception::correlation_id,
      &Exception::closed_at, &Exception::closed_by,
      &Exception::closed_by_username, &Exception::closed_by_role,
      &Exception::closed_reason, &Exception::stored_amounts);
  static constexpr auto kInserted = std::tuple(
      &Exception::exception_id, &Exception::kind, &Exception::JoinedThings,
      &Exception::AmountsAsJson, &Exception::description, &Exception::must_act,
      &Exception::acting_side, &Exception::dedupe_key, &Exception::opened_at,
      &Exception::correlation_id);
  static constexpr auto kUpdated =
      std::tuple(&Exception::exception_id, &Exception::closed_at,
                 &Exception::closed_by, &Exception::closed_by_username,
                 &Exception::closed_by_role, &Exception::closed_reason);
};

// What a select of exceptions reads, in the order of Exception::kLoaded.
extern const std::string_view kExceptionColumns;

// As people see it.
ops::v1::Exception Shown(const Exception& exception);

// `shipment:17/1`, as sync.exception names a thing.
std::string ThingText(std::string_view kind, std::string_view key);

}  // namespace mtp::sync

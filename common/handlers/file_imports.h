#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "common/db/working_set.h"

// What the imports of files have in common, whatever is in them: a file is
// known by its digest, and imports of one kind take turns.
namespace mtp::handlers {

// Whether it is a SHA-256 as 64 hexadecimal digits.
bool IsFileDigest(std::string_view text);

// Imports take turns: two that make the same new rows have none to lock.
class ImportTurn : public db::Member {
 public:
  // Those of one name wait for each other, until the transaction ends.
  ImportTurn(db::WorkingSet& set, std::string_view name)
      : Member(set), name_(name) {}

  void Want() { wanted_ = true; }

  void AddLoads(db::Exchange& exchange) override;
  void TakeLoads(const db::Results&, size_t& next) override {
    next += wanted_ ? 1 : 0;
  }
  void AddStores(db::Exchange&) override {}
  void Keep() override {}
  void Undo() override {}
  void Clear() override { wanted_ = false; }

 private:
  const std::string_view name_;  // a literal
  bool wanted_ = false;
};

}  // namespace mtp::handlers

namespace mtp::errors {

absl::Status FileDigestInvalid();
absl::Status ImportTooLarge(int64_t row_count, int64_t row_limit);
// Another call imports the same file, or the same `things`, at this moment.
absl::Status ImportRunning(std::string_view things);

}  // namespace mtp::errors

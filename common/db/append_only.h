#pragma once

#include <utility>
#include <vector>

#include "common/db/params.h"
#include "common/db/working_set.h"

namespace mtp::db {

// New rows of a table whose rows are only ever added and that no decision
// reads: raw rows, events. The row type says kInsert and kInserted as for a
// Table (table.h).
template <typename T>
class AppendOnly : public Member {
 public:
  explicit AppendOnly(WorkingSet& set) : Member(set) {}

  void Append(T row) { rows_.push_back(std::move(row)); }
  // Those of this batch, in the order they were added.
  const std::vector<T>& rows() const { return rows_; }

  void AddLoads(Exchange&) override {}
  void TakeLoads(const Results&, size_t&) override {}
  void AddStores(Exchange& exchange) override {
    if (rows_.empty()) return;
    Params params;
    std::apply([&](auto... member) { (params.Array(rows_, member), ...); },
               T::kInserted);
    exchange.Add(T::kInsert, std::move(params));
  }
  void Keep() override { kept_ = rows_.size(); }
  void Undo() override { rows_.erase(rows_.begin() + kept_, rows_.end()); }
  void Clear() override {
    rows_.clear();
    kept_ = 0;
  }

 private:
  std::vector<T> rows_;
  size_t kept_ = 0;  // the first so many are of calls that stand
};

}  // namespace mtp::db

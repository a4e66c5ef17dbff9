#pragma once

#include <vector>

#include "common/db/table.h"

// Tables whose rows are locked by one statement and read by the next. A
// statement that waits for a lock goes on with the row as it is by then, but
// joins it to what the statement saw when it began: names would be missing and
// sums be old. The statement behind it begins when the locks are held.
namespace mtp::processing {

// A table whose row type has, besides kLoad, which then locks nothing,
//   static const db::Statement kLock;  takes what kLoad takes; locks in the
//                                      order of the key, returns nothing that
//                                      matters
template <db::TableRow T>
class LockedTable : public db::Table<T> {
 public:
  using db::Table<T>::Table;

  void AddLoads(db::Exchange& exchange) override {
    if (this->AnyWanted()) exchange.Add(T::kLock, this->BindWanted());
    db::Table<T>::AddLoads(exchange);
  }
  void TakeLoads(const db::Results& results, size_t& next) override {
    if (this->AnyWanted()) ++next;
    db::Table<T>::TakeLoads(results, next);
  }
};

// Rows found by something other than their key, locked in another way than the
// table's own statements do.
template <db::TableRow T, typename By>
class LockedLookup : public db::Lookup<T, By> {
 public:
  LockedLookup(db::WorkingSet& set, db::Table<T>& table, db::Statement lock,
               db::Statement load)
      : db::Lookup<T, By>(set, table, load), lock_(lock) {}

  void Want(const By& by) {
    wanted_.push_back(by);
    db::Lookup<T, By>::Want(by);
  }

  void AddLoads(db::Exchange& exchange) override {
    if (!wanted_.empty()) {
      db::SortUnique(wanted_);
      exchange.Add(lock_, db::BindKeys(wanted_));
    }
    db::Lookup<T, By>::AddLoads(exchange);
  }
  void TakeLoads(const db::Results& results, size_t& next) override {
    if (!wanted_.empty()) ++next;
    db::Lookup<T, By>::TakeLoads(results, next);
  }
  void Clear() override {
    wanted_.clear();
    db::Lookup<T, By>::Clear();
  }

 private:
  db::Statement lock_;
  std::vector<By> wanted_;
};

}  // namespace mtp::processing

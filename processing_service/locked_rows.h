#pragma once

#include <vector>

#include "common/db/table.h"

// Tables whose rows are locked by one statement and read by the next. A
// statement that waits for a lock goes on with the row as it is by then, but
// joins it to what the statement saw when it began: names would be missing and
// sums be old. The statement behind it begins when the locks are held.
namespace mtp::processing {

// A table whose row type has, besides kLoad, which then locks nothing,
//   static const db::Statement kLock;  $1… arrays of the key's columns; locks
//                                      in the order of the key, returns nothing
//                                      that matters
template <db::TableRow T>
class LockedTable : public db::Table<T> {
 public:
  using db::Table<T>::Table;

  void Want(const typename T::Key& key) {
    wanted_.push_back(key);
    db::Table<T>::Want(key);
  }

  void AddLoads(db::Exchange& exchange) override {
    if (!wanted_.empty()) {
      db::SortUnique(wanted_);
      exchange.Add(T::kLock, db::BindKeys(wanted_));
    }
    db::Table<T>::AddLoads(exchange);
  }
  void TakeLoads(const db::Results& results, size_t& next) override {
    if (!wanted_.empty()) ++next;
    db::Table<T>::TakeLoads(results, next);
  }
  void Clear() override {
    wanted_.clear();
    db::Table<T>::Clear();
  }

 private:
  std::vector<typename T::Key> wanted_;
};

// The same for rows that are found by something other than their key.
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

#pragma once

#include <vector>

#include "common/db/connection.h"

namespace mtp::db {

class WorkingSet;

// Something a batch of writes loads before it decides and stores afterwards: a
// table's rows (table.h), codes from a sequence (table.h).
class Member {
 public:
  explicit Member(WorkingSet& set);
  virtual ~Member() = default;
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  // Adds the statements that fetch what the calls want.
  virtual void AddLoads(Exchange& exchange) = 0;
  // Takes their results, beginning at `next`; leaves `next` behind them.
  virtual void TakeLoads(const Results& results, size_t& next) = 0;
  // Adds the statements that delete what the decisions removed.
  virtual void AddRemovals(Exchange&) {}
  // Adds the statements that write what the decisions changed.
  virtual void AddStores(Exchange& exchange) = 0;
  // Decisions since the last Keep() stand (Keep), or never were (Undo).
  virtual void Keep() = 0;
  virtual void Undo() = 0;
  // Forgets everything, for the next batch.
  virtual void Clear() = 0;
};

// The rows that one batch of calls works on. A service derives from it and
// declares its tables as members in the one order in which all transactions
// lock (and in which foreign keys allow inserts): plan, request, shipment,
// schedule, location, recipe, item, batch, bag, allocation, parcel, user. Used
// by one lane, on one thread.
class WorkingSet {
 public:
  WorkingSet() = default;
  virtual ~WorkingSet() = default;
  WorkingSet(const WorkingSet&) = delete;
  WorkingSet& operator=(const WorkingSet&) = delete;

  void AddLoads(Exchange& exchange);
  void TakeLoads(const Results& results, size_t& next);
  void AddStores(Exchange& exchange);
  void Keep();
  void Undo();
  void Clear();

 private:
  friend class Member;
  std::vector<Member*> members_;  // in the order of declaration
};

}  // namespace mtp::db

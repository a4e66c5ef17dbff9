#include "common/db/working_set.h"

namespace mtp::db {

Member::Member(WorkingSet& set) { set.members_.push_back(this); }

void WorkingSet::AddLoads(Exchange& exchange) {
  for (Member* member : members_) member->AddLoads(exchange);
}

void WorkingSet::TakeLoads(const Results& results, size_t& next) {
  for (Member* member : members_) member->TakeLoads(results, next);
}

// What is removed goes first, the rows of a table before those of the tables
// that they may refer to: then a name or a code is free for what takes its
// place in the same batch.
void WorkingSet::AddStores(Exchange& exchange) {
  for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
    (*member)->AddRemovals(exchange);
  }
  for (Member* member : members_) member->AddStores(exchange);
}

void WorkingSet::Keep() {
  for (Member* member : members_) member->Keep();
}

void WorkingSet::Undo() {
  for (Member* member : members_) member->Undo();
}

void WorkingSet::Clear() {
  for (Member* member : members_) member->Clear();
}

}  // namespace mtp::db

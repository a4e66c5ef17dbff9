#include "common/db/working_set.h"

namespace mtp::db {

Member::Member(WorkingSet& set) { set.members_.push_back(this); }

void WorkingSet::AddLoads(Exchange& exchange) {
  for (Member* member : members_) member->AddLoads(exchange);
}

void WorkingSet::TakeLoads(const Results& results, size_t& next) {
  for (Member* member : members_) member->TakeLoads(results, next);
}

void WorkingSet::AddStores(Exchange& exchange) {
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

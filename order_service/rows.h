#pragma once

#include "common/db/append_only.h"
#include "common/db/working_set.h"
#include "common/handlers/commands.h"
#include "common/handlers/file_imports.h"
#include "common/handlers/queries.h"
#include "common/reconciliation/run_rows.h"
#include "common/seals/peer_seals.h"
#include "common/sync/dead_letters.h"
#include "common/sync/exceptions.h"
#include "common/sync/receiver.h"
#include "order_service/plan_rows.h"
#include "order_service/request_import_rows.h"
#include "order_service/request_rows.h"
#include "order_service/schedule_rows.h"
#include "order_service/settings.h"
#include "order_service/shipment_rows.h"
#include "order_service/user_rows.h"

namespace mtp::order {

// Everything a batch of commands of this service works on. The tables stand in
// the one order in which all transactions lock.
struct Rows : db::WorkingSet {
  explicit Rows(const Settings& plant) : settings(plant) {}

  const Settings& settings;

  // Of the peer's states that are to be judged, by thing, and by
  // dead_letter_id.
  db::Table<sync::DeadLetter> dead_letters{*this};
  db::FoundBy<sync::DeadLetter, Uuid> dead_letters_by_id{*this, dead_letters};
  handlers::ImportTurn import_turn{*this, "mtp.order.plan_import"};
  handlers::ImportTurn request_import_turn{*this, "mtp.order.request_import"};
  // Imports by the digest of their file, those that were stored.
  db::Table<PlanImport> plan_imports{*this};
  db::Table<Plan> plans{*this};
  // The plan that a request counts against, by request code.
  db::Lookup<Plan, int64_t> plans_of_requests{*this, plans,
                                              Plan::kLoadOfRequest};
  // Behind the plans: seen once these are locked.
  db::Table<PlanUse> plan_uses{*this};
  PlanRemovals plan_removals{*this};
  db::AppendOnly<PlanReturn> plan_returns{*this};
  db::AppendOnly<PlanReturnSums> plan_return_sums{*this};
  RawPlanRows raw_plan_rows{*this};
  db::AppendOnly<PlanFault> plan_faults{*this};
  db::AppendOnly<KeptPlan> kept_plans{*this};
  // Files of open requests: what was taken over before, by its reference, the
  // imports, and the requests that they make.
  db::Table<TakenOver> taken_over{*this};
  db::AppendOnly<RequestImport> request_imports{*this};
  db::AppendOnly<RequestFault> request_faults{*this};
  RawRequestRows raw_request_rows{*this};
  OpenRequests open_requests{*this};
  db::Sequence request_codes{*this, OrderRequest::kTakeCodes};
  db::Table<OrderRequest> requests{*this};
  db::Table<Shipment> shipments{*this};
  db::AppendOnly<ShipmentEvent> shipment_events{*this};
  db::AppendOnly<ShipmentDifference> shipment_differences{*this};
  db::Table<DifferencesKept> differences_kept{*this};
  db::Sequence schedule_codes{*this, Schedule::kTakeCodes};
  db::Table<Schedule> schedules{*this};
  db::Table<User> users{*this};
  // All of a role.
  db::FoundBy<User, std::string> users_of_role{*this, users};
  db::Table<UnknownSignIn> unknown_sign_ins{*this};
  db::Table<SignedIn> sessions{*this};
  // Those of a user that have not ended, by subject.
  db::FoundBy<SignedIn, Uuid> sessions_of{*this, sessions};
  db::Log<RefreshTokenUse> refresh_token_uses{*this};
  db::Table<RefreshToken> refresh_tokens{*this};
  db::Table<Revocation> revocations{*this};
  db::Table<sync::Exception> exceptions{*this};
  // The open ones that concern a thing, as `shipment:17/1`.
  db::Lookup<sync::Exception, std::string> exceptions_of{
      *this, exceptions, sync::Exception::kLoadOpenOfThing};
  db::Table<seals::KeptSeal> peer_seals{*this};
  db::Table<reconciliation::ReconcileRun> reconcile_runs{*this};
  // Those that are not finished, whatever is asked for.
  db::Lookup<reconciliation::ReconcileRun, std::string> unfinished_runs{
      *this, reconcile_runs, reconciliation::ReconcileRun::kLoadUnfinished};
  // Behind all that is locked: a copy can have been told under an epoch that
  // began while its row was waited for.
  sync::Link link{*this, dead_letters};
};

using Commands = handlers::Commands<Rows>;
using handlers::Context;
using handlers::Queries;

}  // namespace mtp::order

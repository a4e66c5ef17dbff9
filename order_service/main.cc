#include <cstdio>

#include "CLI/CLI.hpp"
#include "common/host/host.h"
#include "common/host/operators.h"
#include "common/reconciliation/start_epoch.h"
#include "common/seals/peer_seals.h"
#include "order_service/errors.h"
#include "order_service/facts.h"
#include "order_service/first_admin.h"
#include "order_service/identity.h"
#include "order_service/plans.h"
#include "order_service/recovery.h"
#include "order_service/request_imports.h"
#include "order_service/requests.h"
#include "order_service/schedules.h"
#include "order_service/settings.h"
#include "order_service/shipments.h"
#include "order_service/sync.h"
#include "schema_plans.h"

// The order service: what its process is made of.
int main(int argc, char** argv) {
  using namespace mtp;

  host::Options options;
  options.edge.listen = "127.0.0.1:7401";
  options.edge.metrics_listen = "127.0.0.1:7411";
  options.edge.probe_listen = "127.0.0.1:7431";
  order::Settings settings;

  CLI::App app(
      "The order service of the tea platform, Grandpass: plans, requests, "
      "shipments, schedules");
  app.set_version_flag("--version", MTP_VERSION);
  host::AddFlags(app, "MTP_ORDER", options);
  order::AddFlags(app, "MTP_ORDER", settings);
  std::string first_admin_name;
  CLI::App* first_admin = order::AddFirstAdminCommand(app, first_admin_name);
  CLI11_PARSE(app, argc, argv);
  settings.time_zone = rpc::PlantTimeZone(options.edge);
  if (first_admin->parsed()) {
    return order::MakeFirstAdmin(options.edge.database, settings.identity,
                                 first_admin_name);
  }
  const auto refuse_to_start = [](const absl::Status& why) {
    std::fprintf(stderr, "order_service: %s\n",
                 std::string(why.message()).c_str());
    return 1;
  };

  settings.identity.embedded = rpc::IsEmbedded(options.edge);

  rpc::TokenKeyBoard own_keys;
  rpc::Revocations revocations;
  absl::StatusOr<std::unique_ptr<host::Host>> host = host::Host::Make(
      {.name = "order_service",
       .domain = "mtp.order",
       .packages = {"mtp.order.v1", "mtp.sync.v1", "mtp.audit.v1",
                    "mtp.ops.v1"},
       .peer_packages = {"mtp.processing.v1"},
       .side = common::v1::SIDE_ORDER,
       .schema = {host::Needed(schema::k_sync), host::Needed(schema::k_order)},
       .working_set = [&] { return std::make_unique<order::Rows>(settings); },
       .explain_constraint = order::errors::OfConstraint,
       .relay_routes = order::RelayRoutes(),
       .facts = order::SharedFacts(),
       .own_keys = &own_keys,
       .revoked =
           [&](std::string_view subject, absl::Time issued_at) {
             return revocations.Revoked(subject, issued_at);
           },
       .before_password_change = {"mtp.order.v1.SessionService.ChangePassword",
                                  "mtp.order.v1.SessionService.SignOut"},
       .removals = order::IdentityRemovals()},
      options);
  if (!host.ok()) return refuse_to_start(host.status());

  order::Commands commands((*host)->commands(), (*host)->router());
  handlers::Queries queries((*host)->queries(), (*host)->router());
  order::AddPlans(commands, queries);
  order::AddRequests(commands, queries);
  order::AddRequestImports(commands, queries);
  order::AddShipments(commands, queries);
  order::AddSchedules(commands, queries);
  order::AddSync(commands, queries);
  seals::AddPeerSeals(commands);
  reconciliation::Recovery<order::Rows> recovery((*host)->MakeRecoveryOptions(),
                                                 order::Recovering(), commands);
  if (reconciliation::ReconcileCalls* calls = (*host)->reconcile_calls()) {
    calls->Add(commands);
    (*host)->RecoverBy(
        [&](db::Connection& connection, const std::function<bool()>& stop) {
          return recovery.Run(connection, stop);
        });
    reconciliation::AddStartEpoch(
        commands, [&] { return (*host)->peer()->Reachable(); },
        [&] { (*host)->Reconcile(); });
  }
  const auto identity = order::Identity::Start(
      settings.identity, rpc::OwnTokens(options.edge), (*host)->database(),
      (*host)->log(), commands, queries, own_keys, revocations);
  if (!identity.ok()) return refuse_to_start(identity.status());
  host::Operators operators(**host, commands, queries, order::Hearings());
  return (*host)->Run([&] { operators.Drain(); },
                      [&] { (*identity)->Drain(); });
}

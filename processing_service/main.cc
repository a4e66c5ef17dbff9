#include <cstdio>

#include "CLI/CLI.hpp"
#include "common/host/host.h"
#include "common/host/operators.h"
#include "common/print/fonts.h"
#include "common/reconciliation/start_epoch.h"
#include "common/seals/peer_seals.h"
#include "common/sync/revocation_watch.h"
#include "processing_service/activities.h"
#include "processing_service/allocation_rules.h"
#include "processing_service/allocations.h"
#include "processing_service/bag_corrections.h"
#include "processing_service/bag_departures.h"
#include "processing_service/bags.h"
#include "processing_service/batches.h"
#include "processing_service/dispatch_notes.h"
#include "processing_service/errors.h"
#include "processing_service/facts.h"
#include "processing_service/grandpass_keys.h"
#include "processing_service/labels.h"
#include "processing_service/locations.h"
#include "processing_service/materials.h"
#include "processing_service/outbound.h"
#include "processing_service/parcels.h"
#include "processing_service/recipes.h"
#include "processing_service/recovery.h"
#include "processing_service/revocations.h"
#include "processing_service/settings.h"
#include "processing_service/stock_imports.h"
#include "processing_service/stocktakes.h"
#include "processing_service/sync.h"
#include "processing_service/trace.h"
#include "schema_plans.h"

// The processing service: what its process is made of.
int main(int argc, char** argv) {
  using namespace mtp;

  host::Options options;
  options.edge.listen = "127.0.0.1:7402";
  options.edge.metrics_listen = "127.0.0.1:7412";
  options.edge.probe_listen = "127.0.0.1:7432";
  processing::Settings settings;

  CLI::App app(
      "The processing service of the tea platform, Seeduwa: materials, "
      "batches, bags, what leaves the site");
  app.set_version_flag("--version", MTP_VERSION);
  host::AddFlags(app, "MTP_PROCESSING", options);
  processing::AddFlags(app, "MTP_PROCESSING", settings);
  CLI11_PARSE(app, argc, argv);
  settings.time_zone = rpc::PlantTimeZone(options.edge);

  const auto refuse_to_start = [](const absl::Status& why) {
    std::fprintf(stderr, "processing_service: %s\n",
                 std::string(why.message()).c_str());
    return 1;
  };

  const auto fonts = print::Fonts::Load(settings.fonts);
  if (!fonts.ok()) return refuse_to_start(fonts.status());

  rpc::TokenKeyBoard grandpass_board;
  rpc::Revocations revocations;
  absl::StatusOr<std::unique_ptr<host::Host>> host = host::Host::Make(
      {.name = "processing_service",
       .domain = "mtp.processing",
       .packages = {"mtp.processing.v1", "mtp.sync.v1", "mtp.audit.v1",
                    "mtp.ops.v1"},
       .peer_packages = {"mtp.order.v1"},
       .side = common::v1::SIDE_PROCESSING,
       .schema = {host::Needed(schema::k_sync),
                  host::Needed(schema::k_processing)},
       .working_set =
           [&] { return std::make_unique<processing::Rows>(settings); },
       .explain_constraint = processing::errors::OfConstraint,
       .relay_routes = processing::RelayRoutes(),
       .facts = processing::SharedFacts(),
       .own_keys = &grandpass_board,
       .revoked =
           [&](std::string_view subject, absl::Time issued_at) {
             return revocations.Revoked(subject, issued_at);
           }},
      options);
  if (!host.ok()) return refuse_to_start(host.status());

  processing::Commands commands((*host)->commands(), (*host)->router());
  handlers::Queries queries((*host)->queries(), (*host)->router());
  processing::AddLocations(commands, queries);
  processing::AddMaterials(commands, queries);
  processing::AddRecipes(commands, queries);
  processing::AddBatches(commands, queries);
  processing::AddBags(commands, queries);
  processing::AddBagCorrections(commands);
  processing::AddBagDepartures(commands);
  processing::AddStocktakes(commands);
  processing::AddStockImports(commands);
  processing::AddLabels(queries, settings, **fonts);
  processing::AddAllocations(commands, queries);
  processing::AddAllocationRules(commands, queries);
  processing::AddOutbound(commands, queries);
  processing::AddDispatchNotes(queries, settings, **fonts);
  processing::AddParcels(commands, queries);
  processing::AddTrace(commands, queries);
  processing::AddActivities(queries);
  processing::AddSync(commands, queries);
  seals::AddPeerSeals(commands);
  reconciliation::Recovery<processing::Rows> recovery(
      (*host)->MakeRecoveryOptions(), processing::Recovering(), commands);
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
  processing::AddRevocations(commands, revocations);

  const auto failed = [&log = (*host)->log()](const char* what) {
    return [&log, what](const absl::Status& status) {
      log.Error(what, {{"error", std::string(status.message())}});
    };
  };
  const auto revocation_watch = sync::RevocationWatch::Open(
      {.database = (*host)->database(),
       .changed = processing::kRevocationsHeard,
       .revocations = &revocations,
       .log_failure = failed("the revocations cannot be read")});
  if (!revocation_watch.ok()) return refuse_to_start(revocation_watch.status());
  const auto grandpass_keys = processing::GrandpassKeys::Open(
      {.database = (*host)->database(),
       .peer = rpc::IsEmbedded(options.edge) ? (*host)->peer() : nullptr,
       .board = &grandpass_board,
       .poll = absl::Seconds(settings.grandpass_keys_seconds),
       .log_failure = failed("Grandpass does not tell its token keys")});
  if (!grandpass_keys.ok()) return refuse_to_start(grandpass_keys.status());
  host::Operators operators(**host, commands, queries, processing::Hearings());
  return (*host)->Run([&] { operators.Drain(); });
}

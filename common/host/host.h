#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/handlers/commands.h"
#include "common/handlers/queries.h"
#include "common/host/schema.h"
#include "common/operations/operations.h"
#include "common/reconciliation/fact_calls.h"
#include "common/reconciliation/reconcile_calls.h"
#include "common/reconciliation/reconciler.h"
#include "common/reconciliation/recovery.h"
#include "common/rpc/gateway.h"
#include "common/rpc/identity.h"
#include "common/rpc/keys.h"
#include "common/rpc/peer_channel.h"
#include "common/rpc/pipeline.h"
#include "common/rpc/server.h"
#include "common/rpc/settings.h"
#include "common/rpc/token.h"
#include "common/seals/seal_check.h"
#include "common/seals/sealer.h"
#include "common/sync/relay.h"
#include "common/telemetry/log.h"
#include "common/telemetry/metrics.h"

namespace CLI {
class App;
}

namespace mtp::host {

// What both services can be told besides what their edge can be told
// (rpc::ServiceOptions).
struct Options {
  rpc::ServiceOptions edge;
  int command_lanes = 2;
  int query_lanes = 2;
  int search_lanes = 2;
  int waiting_limit = 4096;
  int batch_limit = 256;
  // How long idempotency keys are kept.
  int key_days = 7;
  // From one seal of the audit trail to the next; 0: none is made.
  int seal_seconds = 60;
  // From one offer of what the peer could not apply to the next.
  int poison_retry_seconds = 60;
  // From one look at a slice of the shared facts to the next; 0: they are
  // compared only when somebody asks.
  int reconcile_seconds = 60;
};

// Adds a flag and an environment variable for each.
void AddFlags(CLI::App& app, const std::string& prefix, Options& options);

// What a service is, as far as its process must know.
struct Service {
  std::string name;                   // order_service
  std::string domain;                 // mtp.order
  std::vector<std::string> packages;  // whose services it serves
  // Whose services are the peer's; their calls are passed on to it.
  std::vector<std::string> peer_packages;
  common::v1::Side side = common::v1::SIDE_UNSPECIFIED;
  std::vector<SchemaProject> schema;
  std::function<std::unique_ptr<db::WorkingSet>()> working_set;
  std::function<absl::Status(std::string_view constraint)> explain_constraint;
  // What it tells its peer, and what the two must agree on, besides the seals
  // of the audit trails.
  std::vector<sync::Relay::Route> relay_routes;
  std::vector<reconciliation::Facts> facts;
  // The keys of the tokens that the order service gives; outlives the host.
  const rpc::TokenKeySource* own_keys = nullptr;
  rpc::Authenticator::Revoked revoked = {};
  // As rpc::Pipeline::Settings has it.
  std::vector<std::string> before_password_change = {};
  // Each removes a thousand rows or so of what nobody needs any more; run now
  // and then.
  std::vector<db::Statement> removals = {};
};

// The process around a service's handlers: configuration, log, metrics,
// identity, the lanes to the database, the link to the peer, the server. Made,
// then given its handlers through router(), then Run.
class Host {
 public:
  // Everything but the server. Fails with a line for people. Call before any
  // thread is started: it takes the signals that Run waits for.
  static absl::StatusOr<std::unique_ptr<Host>> Make(Service service,
                                                    Options options);
  ~Host();

  rpc::Router& router() { return *pipeline_; }
  handlers::CommandLanes& commands() { return *commands_; }
  handlers::QueryLanes& queries() { return *queries_; }
  rpc::PeerChannel* peer() { return peer_.get(); }  // nullptr: there is none
  telemetry::Log& log() { return *log_; }
  const db::Connection::Options& database() const { return database_; }
  // What the process tells of itself (mtp.ops.v1).
  operations::Self Self() const;
  // Answers Reconcile, when it was given to the commands; nullptr where there
  // is no peer.
  reconciliation::ReconcileCalls* reconcile_calls() {
    return reconcile_calls_.get();
  }
  // How this side takes back what a restore lost; given before Run.
  reconciliation::RecoveryOptions MakeRecoveryOptions();
  void RecoverBy(reconciliation::Recover recover) {
    recover_ = std::move(recover);
  }
  // Tells the reconciler that there is something to do.
  void Reconcile() {
    if (reconciler_ != nullptr) reconciler_->Notify();
  }
  // What checking the seals takes (mtp.audit.v1).
  seals::SealCheck::Options SealCheckOptions();

  // Serves until SIGTERM or SIGINT, then drains: takes no more calls, finishes
  // what runs, stops. `draining` ends what would run for long by itself. The
  // exit code.
  // `drained`, when no calls come any more, finishes what hands on to the
  // lanes.
  int Run(
      const std::function<void()>& draining,
      const std::function<void()>& drained = [] {});

 private:
  Host(Service service, Options options);
  absl::Status MakeParts();
  absl::Status WaitForDatabase();
  void MakeLanes();
  absl::Status MakeVerifier();
  // Asks the peer and waits for the answer.
  absl::StatusOr<std::string> Ask(std::string_view method,
                                  const std::string& request,
                                  absl::Duration deadline);
  reconciliation::PeerAccess Access();
  absl::Status MakeRelay();
  void StartSealer();
  void StartReconciler();
  void KeepHouse();
  absl::Status PurgeKeys(db::Connection& connection);
  absl::Status CountTroubles(db::Connection& connection);

  Service service_;
  Options options_;
  const absl::Time started_ = absl::Now();
  db::Connection::Options database_;
  std::unique_ptr<telemetry::Log> log_;
  std::unique_ptr<telemetry::Metrics> metrics_;
  telemetry::LaneMetrics command_metrics_{};
  telemetry::SyncMetrics sync_metrics_{};
  prometheus::Gauge* open_exceptions_ = nullptr;
  prometheus::Gauge* open_drift_ = nullptr;
  prometheus::Gauge* halted_ = nullptr;
  prometheus::Gauge* refused_ = nullptr;
  // The kinds that the peer cannot be told, and when that was logged last; the
  // relay's thread's own.
  std::map<std::string, absl::Time> lamented_;
  absl::Time reconcile_lamented_;  // the reconciler's thread's own
  std::unique_ptr<rpc::TokenKeySource> keys_;
  std::unique_ptr<rpc::TokenVerifier> verifier_;
  std::unique_ptr<rpc::Authenticator> authenticator_;
  std::unique_ptr<rpc::Pipeline> pipeline_;
  std::unique_ptr<rpc::Gateway> gateway_;
  std::unique_ptr<rpc::PeerChannel> peer_;
  std::unique_ptr<sync::Relay> relay_;
  std::unique_ptr<seals::Sealer> sealer_;
  reconciliation::Recover recover_;
  std::unique_ptr<reconciliation::Reconciler> reconciler_;
  std::unique_ptr<reconciliation::FactCalls> fact_calls_;
  std::unique_ptr<reconciliation::ReconcileCalls> reconcile_calls_;
  std::unique_ptr<handlers::CommandLanes> commands_;
  std::unique_ptr<handlers::QueryLanes> queries_;
};

}  // namespace mtp::host

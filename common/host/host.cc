#include "common/host/host.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "build_info.h"
#include "common/base/status.h"
#include "common/rpc/key_url.h"
#include "common/rpc/metadata.h"
#include "common/seals/peer_seals.h"
#include "common/sync/idempotency.h"

namespace mtp::host {
namespace {

// A database that starts together with the service is waited for.
constexpr absl::Duration kDatabaseStartLimit = absl::Seconds(30);
constexpr absl::Duration kDatabaseRetry = absl::Milliseconds(250);

// The purge of idempotency keys: small steps, so that no statement is long.
constexpr absl::Duration kHousekeepingInterval = absl::Minutes(1);
constexpr int64_t kPurgeStep = 1000;
constexpr int kPurgeSteps = 100;

constexpr db::Statement kOpenTroubles{R"(
  SELECT (SELECT count(*) FROM sync.exception WHERE closed_at IS NULL),
         (SELECT count(*) FROM sync.dead_letter WHERE settlement = 'OPEN'),
         (SELECT count(*) FROM sync.drift WHERE repaired_at IS NULL),
         halted, coalesce(halted_reason, ''),
         refused_by_peer IN ('REFUSAL_VERSIONS_FELL_BACK', 'REFUSAL_EPOCH_SUPERSEDED')
  FROM sync.epoch
)"};

// A comparison, and what it found, is kept for so long.
constexpr db::Statement kRemoveOldRuns{R"(
  DELETE FROM sync.reconcile_run WHERE run_id IN (
    SELECT run_id FROM sync.reconcile_run
    WHERE finished_at IS NOT NULL AND started_at < now() - interval '90 days'
    ORDER BY started_at LIMIT 1000)
)"};

constexpr absl::Duration kLamentInterval = absl::Seconds(30);

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

std::string OneLine(const absl::Status& status) {
  return std::string(status.message());
}

std::string Instance(const std::string& name) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return absl::StrCat(name, "@", host, ":", getpid());
}

}  // namespace

void AddFlags(CLI::App& app, const std::string& prefix, Options& options) {
  rpc::AddFlags(app, prefix, options.edge);
  const auto number = [&](const char* flag, const char* variable, int& value,
                          int least, int most, const char* help) {
    app.add_option(flag, value, help)
        ->envname(prefix + variable)
        ->check(CLI::Range(least, most))
        ->capture_default_str();
  };
  number("--command-lanes", "_COMMAND_LANES", options.command_lanes, 1, 64,
         "Connections to the database that write, each with a thread");
  number("--query-lanes", "_QUERY_LANES", options.query_lanes, 1, 64,
         "Connections to the database that read, each with a thread");
  number("--search-lanes", "_SEARCH_LANES", options.search_lanes, 1, 64,
         "The same for lists, searches and traces, which may take long");
  number("--waiting-limit", "_WAITING_LIMIT", options.waiting_limit, 1,
         1'000'000,
         "Calls that may wait for a lane; one more is refused at once");
  number("--batch-limit", "_BATCH_LIMIT", options.batch_limit, 1, 4096,
         "Changes that one transaction makes at most");
  number("--key-days", "_KEY_DAYS", options.key_days, 1, 365,
         "Days for which a repeated request_id gets its first reply");
  number("--seal-seconds", "_SEAL_SECONDS", options.seal_seconds, 0, 3600,
         "Seconds from one seal of the audit trail to the next; 0: it is not "
         "sealed");
  number("--poison-retry-seconds", "_POISON_RETRY_SECONDS",
         options.poison_retry_seconds, 1, 86'400,
         "Seconds until what the peer could not apply is offered to it again");
  number("--reconcile-seconds", "_RECONCILE_SECONDS", options.reconcile_seconds,
         0, 3600,
         "Seconds from one comparison of a sixteenth of the shared facts with "
         "the other side to the next; 0: only when somebody asks");
}

Host::Host(Service service, Options options)
    : service_(std::move(service)), options_(std::move(options)) {
  service_.relay_routes.push_back(seals::SealRoute(service_.side));
  std::vector<reconciliation::Facts> seals = seals::SealFacts(service_.side);
  std::move(seals.begin(), seals.end(), std::back_inserter(service_.facts));
}

Host::~Host() = default;

absl::StatusOr<std::unique_ptr<Host>> Host::Make(Service service,
                                                 Options options) {
  // Large buffers come from the system and go back to it at once. Left to
  // itself the allocator keeps what it once got, and an import of a large file
  // would cost its memory for as long as the process lives.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  RETURN_IF_ERROR(rpc::Check(options.edge));
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<Host> host(new Host(std::move(service), std::move(options)));
  RETURN_IF_ERROR(host->MakeParts());
  return host;
}

absl::Status Host::MakeParts() {
  const rpc::ServiceOptions& edge = options_.edge;
  ASSIGN_OR_RETURN(log_,
                   telemetry::Log::Open(rpc::LogOptions(edge, service_.name)));
  metrics_ = std::make_unique<telemetry::Metrics>();
  if (!edge.metrics_listen.empty()) {
    RETURN_IF_ERROR(metrics_->Expose(edge.metrics_listen));
  }
  command_metrics_ = metrics_->ForLane("command");
  sync_metrics_ = metrics_->ForSync("peer");
  open_drift_ =
      metrics_->Gauge("mtp_sync_drift_open",
                      "Shared facts found to differ and not repaired yet.");
  halted_ = metrics_->Gauge(
      "mtp_sync_halted",
      "1 while nothing of the peer is applied, for its database fell back.");
  refused_ = metrics_->Gauge(
      "mtp_sync_refused",
      "1 while the peer applies nothing of this side, for this side's database "
      "fell back.");
  open_exceptions_ =
      metrics_->Gauge("mtp_exceptions_open",
                      "Facts of the two sides that do not fit together and "
                      "that a person must settle.");

  RETURN_IF_ERROR(MakeVerifier());
  authenticator_ = std::make_unique<rpc::Authenticator>(
      rpc::MakeAuthenticatorSettings(edge, service_.revoked), verifier_.get());
  rpc::Pipeline::Settings settings =
      rpc::MakePipelineSettings(edge, service_.domain, service_.packages);
  if (!edge.peer.empty()) settings.peer_packages = service_.peer_packages;
  settings.before_password_change = service_.before_password_change;
  ASSIGN_OR_RETURN(pipeline_, rpc::Pipeline::Create(
                                  std::move(settings),
                                  {.log = log_.get(),
                                   .metrics = metrics_.get(),
                                   .authenticator = authenticator_.get()}));

  database_ = {.conninfo = edge.database, .application_name = service_.name};
  RETURN_IF_ERROR(WaitForDatabase());
  if (!edge.peer.empty()) {
    ASSIGN_OR_RETURN(peer_,
                     rpc::PeerChannel::Open(rpc::MakePeerSettings(edge)));
    gateway_ = std::make_unique<rpc::Gateway>(peer_.get());
    pipeline_->RoutePeer([this](std::unique_ptr<rpc::Call> call) {
      gateway_->Pass(std::move(call));
    });
    RETURN_IF_ERROR(MakeRelay());
  }
  MakeLanes();
  if (peer_ != nullptr) {
    fact_calls_ = std::make_unique<reconciliation::FactCalls>(
        service_.facts, *queries_, *pipeline_);
    reconcile_calls_ = std::make_unique<reconciliation::ReconcileCalls>(
        reconciliation::ReconcileCalls::Options{
            .database = database_,
            .peer_reachable = [this] { return peer_->Reachable(); },
            .notify = [this] { Reconcile(); },
            .log_failure =
                [this](const absl::Status& status) {
                  log_->Warning("a comparison could not be reported",
                                {{"error", OneLine(status)}});
                }});
  }
  return absl::OkStatus();
}

absl::Status Host::MakeVerifier() {
  const rpc::ServiceOptions& edge = options_.edge;
  const auto tell = [this](const absl::Status& status) {
    if (status.ok()) return;
    log_->Error("the token keys cannot be read", {{"error", OneLine(status)}});
  };
  std::vector<rpc::TokenIssuer> issuers;
  if (!edge.token_keys.empty()) {
    if (rpc::IsUrl(edge.token_keys)) {
      keys_ = rpc::TokenKeyUrl::Open(
          {.fetch = rpc::FetchFrom(edge.token_keys, edge.token_keys_ca),
           .refresh = absl::Seconds(edge.token_keys_refresh_seconds),
           .listener = tell});
    } else {
      ASSIGN_OR_RETURN(keys_, rpc::TokenKeyFile::Open(edge.token_keys, tell));
    }
    issuers.push_back({edge.token, keys_.get()});
  }
  if (rpc::IsEmbedded(edge) && service_.own_keys != nullptr) {
    issuers.push_back({rpc::OwnTokens(edge), service_.own_keys});
  }
  verifier_ = std::make_unique<rpc::TokenVerifier>(std::move(issuers));
  return absl::OkStatus();
}

absl::Status Host::WaitForDatabase() {
  const absl::Time give_up = absl::Now() + kDatabaseStartLimit;
  while (true) {
    absl::Status status;
    if (auto connection = db::Connection::Open(database_); connection.ok()) {
      status = CheckSchema(**connection, service_.schema);
      if (status.ok()) return status;
    } else {
      status = connection.status();
    }
    if (!db::ConnectionLost(status) || absl::Now() >= give_up) return status;
    log_->Warning("waiting for the database", {{"error", OneLine(status)}});
    absl::SleepFor(kDatabaseRetry);
  }
}

void Host::MakeLanes() {
  db::Connection::Options by_key = database_;
  by_key.by_key = true;
  commands_ =
      std::make_unique<handlers::CommandLanes>(handlers::CommandLanes::Options{
          .database = std::move(by_key),
          .lanes = options_.command_lanes,
          .waiting_limit = static_cast<size_t>(options_.waiting_limit),
          .batch_limit = static_cast<size_t>(options_.batch_limit),
          .working_set = service_.working_set,
          .explain_constraint = service_.explain_constraint,
          .committed =
              [this](const std::vector<sync::Mark>&) {
                if (relay_ != nullptr) relay_->Notify();
              },
          .log_failure =
              [this](const rpc::Call& call, const absl::Status& status) {
                log_->Error("a change failed in the database",
                            {{"correlation_id", call.correlation_id},
                             {"method", call.method->full_name()},
                             {"error", OneLine(status)}});
              },
          .observer = {.batch_committed =
                           [this](size_t calls, absl::Duration took) {
                             command_metrics_.batch_size->Observe(
                                 static_cast<double>(calls));
                             command_metrics_.transaction_seconds->Observe(
                                 absl::ToDoubleSeconds(took));
                           },
                       .batch_rerun =
                           [this](std::string_view cause) {
                             if (cause == "refused") {
                               command_metrics_.taken_apart->Increment();
                             } else {
                               command_metrics_.reruns->Increment();
                             }
                           }}});
  queries_ =
      std::make_unique<handlers::QueryLanes>(handlers::QueryLanes::Options{
          .database = database_,
          .lanes = options_.query_lanes,
          .search_lanes = options_.search_lanes,
          .waiting_limit = static_cast<size_t>(options_.waiting_limit),
          .log_failure = [this](const absl::Status& status) {
            log_->Error("a query failed in the database",
                        {{"error", OneLine(status)}});
          }});
}

absl::StatusOr<std::string> Host::Ask(std::string_view method,
                                      const std::string& request,
                                      absl::Duration deadline) {
  rpc::PeerReply reply =
      peer_->CallAndWait(method, request, absl::Now() + deadline);
  if (!reply.status.ok()) return reply.status;
  return std::move(reply.bytes);
}

absl::Status Host::MakeRelay() {
  sync::Relay::Options options;
  options.database = database_;
  options.database.by_key = true;
  options.database.application_name = absl::StrCat(service_.name, " relay");
  options.side = service_.side;
  options.instance = Instance(service_.name);
  options.routes = service_.relay_routes;
  options.poison_retry = absl::Seconds(options_.poison_retry_seconds);
  options.send = [this](std::string_view method, const std::string& request,
                        absl::Duration deadline) {
    return Ask(method, request, deadline);
  };
  options.observer = {
      .sent =
          [this](std::string_view kind, size_t states, absl::Duration took) {
            sync_metrics_.sends->Increment();
            sync_metrics_.batch_size->Observe(static_cast<double>(states));
            sync_metrics_.send_seconds->Observe(absl::ToDoubleSeconds(took));
            log_->Debug("told the peer", {{"kind", kind}, {"states", states}});
            if (lamented_.erase(std::string(kind)) > 0) {
              log_->Info("the peer is told again", {{"kind", kind}});
            }
          },
      .failed =
          [this](std::string_view kind, const absl::Status& status) {
            sync_metrics_.send_failures->Increment();
            // A peer that is away is tried often and lamented seldom.
            absl::Time& last = lamented_[std::string(kind)];
            if (absl::Now() - last < kLamentInterval) return;
            last = absl::Now();
            log_->Warning("the peer could not be told",
                          {{"kind", kind}, {"error", OneLine(status)}});
          },
      .judged =
          [this](mtp::sync::v1::VerdictCode code) {
            (code == mtp::sync::v1::VERDICT_CODE_APPLIED ? sync_metrics_.applied
             : code == mtp::sync::v1::VERDICT_CODE_STALE ? sync_metrics_.stale
                                                         : sync_metrics_.poison)
                ->Increment();
          },
      .poison =
          [this](std::string_view kind, std::string_view key,
                 const mtp::sync::v1::Verdict& verdict, bool again) {
            if (again) return;
            log_->Error(
                "the peer could not apply a state",
                {{"kind", kind}, {"key", key}, {"reason", verdict.reason()}});
          }};
  relay_ = std::make_unique<sync::Relay>(std::move(options));
  return absl::OkStatus();
}

void Host::StartSealer() {
  if (options_.seal_seconds == 0) return;
  seals::Sealer::Options options;
  options.database = database_;
  options.database.by_key = true;
  options.database.application_name = absl::StrCat(service_.name, " sealer");
  options.interval = absl::Seconds(options_.seal_seconds);
  options.look_interval = std::min(options.look_interval, options.interval);
  options.marked = [this] {
    if (relay_ != nullptr) relay_->Notify();
  };
  auto* seals = metrics_->Counter("mtp_audit_seals_total",
                                  "Seals of the audit trail made.");
  auto* entries = metrics_->Counter("mtp_audit_sealed_entries_total",
                                    "Entries of the audit trail sealed.");
  auto* failures = metrics_->Counter("mtp_audit_seal_failures_total",
                                     "Attempts to seal that failed.");
  auto* lag = metrics_->Gauge(
      "mtp_audit_seal_lag_seconds",
      "Age of the oldest entry of the audit trail that no seal covers.");
  options.observer = {
      .sealed =
          [this, seals, entries](const seals::Seal& seal) {
            seals->Increment();
            entries->Increment(static_cast<double>(seal.entry_count));
            log_->Debug(
                "sealed the audit trail",
                {{"seal", seal.seal_number}, {"entries", seal.entry_count}});
          },
      .failed =
          [this, failures](const absl::Status& status) {
            failures->Increment();
            log_->Warning("the audit trail could not be sealed",
                          {{"error", OneLine(status)}});
          },
      .looked =
          [lag](absl::Duration oldest) {
            lag->Set(absl::ToDoubleSeconds(oldest));
          },
      .held_up =
          [this](absl::Duration since, size_t transactions) {
            log_->Warning(
                "open transactions keep the audit trail from being "
                "sealed",
                {{"seconds", absl::ToInt64Seconds(since)},
                 {"transactions", transactions}});
          }};
  sealer_ = std::make_unique<seals::Sealer>(std::move(options));
}

reconciliation::PeerAccess Host::Access() {
  return {.side = service_.side,
          .instance = Instance(service_.name),
          .ask = [this](std::string_view method, const std::string& request,
                        absl::Duration deadline) {
            return Ask(method, request, deadline);
          }};
}

reconciliation::RecoveryOptions Host::MakeRecoveryOptions() {
  return {.peer = Access(),
          .facts = &service_.facts,
          .service_name = service_.name,
          .marked = [this] {
            if (relay_ != nullptr) relay_->Notify();
          }};
}

void Host::StartReconciler() {
  if (peer_ == nullptr) return;
  reconciliation::Reconciler::Options options;
  options.database = database_;
  options.database.by_key = true;
  options.database.application_name =
      absl::StrCat(service_.name, " reconciler");
  options.peer = Access();
  options.facts = &service_.facts;
  options.recover = recover_;
  options.marked = [this] { relay_->Notify(); };
  options.interval = absl::Seconds(options_.reconcile_seconds);
  auto* compared = metrics_->Counter("mtp_reconcile_compared_total",
                                     "Shared facts compared with the peer.");
  auto* drift = metrics_->Counter("mtp_reconcile_drift_total",
                                  "Shared facts found to differ.");
  options.observer = {
      .compared =
          [compared](int64_t facts) {
            compared->Increment(static_cast<double>(facts));
          },
      .drifted =
          [this, drift](std::string_view kind, std::string_view key,
                        ops::v1::DriftCause cause) {
            drift->Increment();
            log_->Warning("the two sides differed",
                          {{"kind", kind},
                           {"key", key},
                           {"cause", ops::v1::DriftCause_Name(cause)}});
          },
      .failed =
          [this](const absl::Status& status) {
            absl::Time& last = reconcile_lamented_;
            if (absl::Now() - last < kLamentInterval) return;
            last = absl::Now();
            log_->Warning("the two sides could not be compared",
                          {{"error", OneLine(status)}});
          }};
  reconciler_ =
      std::make_unique<reconciliation::Reconciler>(std::move(options));
}

seals::SealCheck::Options Host::SealCheckOptions() {
  seals::SealCheck::Options options;
  options.side = service_.side;
  options.instance = Instance(service_.name);
  options.database = database_;
  options.database.by_key = true;
  options.database.application_name = absl::StrCat(service_.name, " audit");
  options.peer = peer_.get();
  options.log_failure = [this](const absl::Status& status) {
    log_->Warning("the audit trail could not be checked",
                  {{"error", OneLine(status)}});
  };
  return options;
}

operations::Self Host::Self() const {
  operations::Self self;
  self.side = service_.side;
  self.instance = Instance(service_.name);
  self.version = MTP_VERSION;
  self.source_revision = kSourceRevision;
  self.contract_digest = kContractDigest;
  self.packages = service_.packages;
  self.time_zone = options_.edge.time_zone;
  self.started = started_;
  for (const SchemaProject& project : service_.schema) {
    self.needed_schema.emplace_back(project.project, project.last_change);
  }
  self.told = service_.relay_routes;
  return self;
}

// What is done once in a while, and nobody waits for.
void Host::KeepHouse() {
  absl::StatusOr<std::unique_ptr<db::Connection>> connection =
      db::Connection::Open(database_);
  absl::Status status = connection.status();
  if (status.ok()) status = CountTroubles(**connection);
  for (const db::Statement& removal : service_.removals) {
    if (status.ok()) status = (*connection)->Run(removal).status();
  }
  if (status.ok()) status = (*connection)->Run(kRemoveOldRuns).status();
  if (status.ok()) status = PurgeKeys(**connection);
  if (!status.ok()) {
    log_->Warning("the house could not be kept", {{"error", OneLine(status)}});
  }
}

absl::Status Host::CountTroubles(db::Connection& connection) {
  ASSIGN_OR_RETURN(const db::Result counts, connection.Run(kOpenTroubles));
  open_exceptions_->Set(static_cast<double>(counts[0].Get<int64_t>(0)));
  sync_metrics_.dead_letters->Set(
      static_cast<double>(counts[0].Get<int64_t>(1)));
  open_drift_->Set(static_cast<double>(counts[0].Get<int64_t>(2)));
  const bool halted = counts[0].Get<bool>(3);
  halted_->Set(halted ? 1 : 0);
  if (halted) {
    log_->Error("nothing of the peer is applied: its database was restored",
                {{"why", counts[0].Get<std::string>(4)}});
  }
  const bool refused = counts[0].Get<bool>(5);
  refused_->Set(refused ? 1 : 0);
  if (refused) {
    log_->Error(
        "the peer applies nothing of this side: was the database restored? "
        "(mtpctl sync status)");
  }
  return absl::OkStatus();
}

// Removes idempotency keys that are past their time; so many steps at most, as
// a stop signal waits meanwhile.
absl::Status Host::PurgeKeys(db::Connection& connection) {
  for (int step = 0; step < kPurgeSteps; ++step) {
    ASSIGN_OR_RETURN(const db::Result purged,
                     connection.Run(sync::PurgeStatement(),
                                    sync::PurgeParams(
                                        absl::ToInt64Seconds(absl::Hours(24) *
                                                             options_.key_days),
                                        kPurgeStep)));
    if (purged.affected() < kPurgeStep) break;
  }
  return absl::OkStatus();
}

int Host::Run(const std::function<void()>& draining,
              const std::function<void()>& drained) {
  StartReconciler();  // calls tell it
  absl::StatusOr<std::unique_ptr<rpc::Server>> server =
      rpc::Server::Start(rpc::MakeServerSettings(options_.edge),
                         {.pipeline = pipeline_.get(), .log = log_.get()});
  if (!server.ok()) {
    std::fprintf(stderr, "%s: %s\n", service_.name.c_str(),
                 OneLine(server.status()).c_str());
    return 1;
  }
  StartSealer();
  // A restart puts no alarm out.
  if (const auto connection = db::Connection::Open(database_);
      connection.ok()) {
    (void)CountTroubles(**connection);
  }
  (*server)->SetServing(true);
  log_->Info("serving", {{"port", (*server)->port()},
                         {"probe_port", (*server)->probe_port()},
                         {"metrics_port", metrics_->port()},
                         {"version", MTP_VERSION}});

  const sigset_t signals = StopSignals();
  const timespec interval{.tv_sec = absl::ToInt64Seconds(kHousekeepingInterval),
                          .tv_nsec = 0};
  int signal = 0;
  while ((signal = sigtimedwait(&signals, nullptr, &interval)) < 0) KeepHouse();

  log_->Info("draining",
             {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  draining();
  (*server)->Drain(absl::Seconds(options_.edge.drain_lead_seconds),
                   absl::Seconds(options_.edge.drain_seconds));
  drained();
  if (reconcile_calls_ != nullptr) reconcile_calls_->Stop();
  if (reconciler_ != nullptr) reconciler_->Stop();
  commands_->Drain();
  queries_->Drain();
  if (sealer_ != nullptr) sealer_->Stop();
  if (relay_ != nullptr) relay_->Stop();
  log_->Info("stopped");
  log_->Flush();
  return 0;
}

}  // namespace mtp::host

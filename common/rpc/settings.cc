#include "common/rpc/settings.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mtp::rpc {
namespace {

// `--drain-seconds` with the prefix MTP_ORDER is MTP_ORDER_DRAIN_SECONDS.
std::string EnvironmentName(const std::string& prefix, std::string flag) {
  flag = flag.substr(2);
  std::transform(flag.begin(), flag.end(), flag.begin(), [](char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return prefix + "_" + flag;
}

bool IsAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  const std::string port = address.substr(colon + 1);
  return !port.empty() && port.size() <= 5 &&
         port.find_first_not_of("0123456789") == std::string::npos &&
         std::stoi(port) <= 65535;
}

}  // namespace

void AddFlags(CLI::App& app, const std::string& prefix,
              ServiceOptions& options) {
  const auto add = [&](const std::string& flag, auto& value,
                       const std::string& help) {
    return app.add_option(flag, value, help)
        ->envname(EnvironmentName(prefix, flag))
        ->capture_default_str();
  };
  const auto number = [&](const std::string& flag, int& value, int least,
                          int most, const std::string& help) {
    add(flag, value, help)->check(CLI::Range(least, most));
  };

  add("--listen", options.listen,
      "Address of the gRPC port, host:port; port 0 takes a free one")
      ->group("Addresses");
  add("--metrics-listen", options.metrics_listen,
      "Address where Prometheus finds /metrics (plain HTTP); empty for none")
      ->group("Addresses");
  add("--probe-listen", options.probe_listen,
      "Address of the plaintext gRPC port with the health service alone; empty "
      "for none")
      ->group("Addresses");
  add("--database", options.database,
      "PostgreSQL connection string, as libpq reads it; name no password here "
      "but a passfile")
      ->group("Addresses");
  add("--peer", options.peer,
      "Address of the other service, host:port; empty: this side works alone "
      "and keeps what it has to tell")
      ->group("Addresses");

  add("--tls-certificate", options.tls.certificate,
      "PEM file with this service's certificate and its chain; read again when "
      "it changes")
      ->group("Security");
  add("--tls-key", options.tls.key,
      "PEM file with the certificate's private key; read again when it changes")
      ->group("Security");
  add("--tls-ca", options.tls.ca,
      "PEM file with the certificates of the CA that the peer's certificate "
      "must be from; read again when it changes")
      ->group("Security");
  app.add_flag("--insecure,!--secure", options.insecure,
               "Serve without TLS. Only on the machine's own addresses, for a "
               "first try: no service can show a certificate, so the link to "
               "the peer does not work")
      ->envname(EnvironmentName(prefix, "--insecure"))
      ->group("Security");
  add("--peer-name", options.peer_names,
      "Name in the peer's certificate: who shows it may call the sync API, and "
      "must show it when called; may be given more than once")
      ->group("Security");
  add("--identity", options.identity,
      "Who signs people in: `embedded`, the order service; `external`, the "
      "company's identity provider alone, whose keys --token-keys names")
      ->check(CLI::IsMember({"embedded", "external"}))
      ->group("Security");
  add("--identity-issuer", options.identity_issuer,
      "Issuer (iss) of the tokens that the order service gives; the same at "
      "both services")
      ->group("Security");
  add("--token-keys", options.token_keys,
      "JSON Web Key Set with the public keys (ES256, RS256) of --token-issuer: "
      "a file, read again when it changes, or an https URL")
      ->group("Security");
  add("--token-keys-ca", options.token_keys_ca,
      "PEM file with the certificates of the CA that the URL's server must be "
      "from; empty: those that the system trusts")
      ->group("Security");
  number("--token-keys-refresh-seconds", options.token_keys_refresh_seconds, 1,
         86'400,
         "Seconds after which the URL is asked again, if it does not say so "
         "itself");
  add("--token-issuer", options.token.issuer,
      "Issuer (iss) that tokens must be from")
      ->group("Security");
  add("--token-audience", options.token.audience,
      "Audience (aud) that tokens must be for")
      ->group("Security");
  add("--token-role-claim", options.token.role_claim,
      "Claim with the role: GRANDPASS_OFFICER, or a list with one known role, "
      "as cognito:groups")
      ->group("Security");
  app.add_flag("--reflection,!--no-reflection", options.reflection,
               "Let clients ask what the services are (on by default)")
      ->envname(EnvironmentName(prefix, "--reflection"))
      ->group("Security");

  number("--max-in-flight", options.max_in_flight, 1, 1'000'000,
         "Calls taken at one time; more are answered RESOURCE_EXHAUSTED");
  number("--default-deadline-ms", options.default_deadline_ms, 1, 3'600'000,
         "Deadline in milliseconds of calls that come without one");
  number("--max-upload-mib", options.max_upload_mib, 1, 2000,
         "MiB that the messages of one client stream may have together");
  number("--max-uploads-mib", options.max_uploads_mib, 1, 1'000'000,
         "MiB that all client streams being read may have together");
  number("--max-concurrent-streams", options.max_concurrent_streams, 1,
         1'000'000, "Calls at one time on one connection");
  number("--max-connection-age-seconds", options.max_connection_age_seconds, 1,
         1'000'000,
         "Seconds after which a client is asked to connect anew, so that it "
         "sees new certificates and replicas");
  number("--drain-lead-seconds", options.drain_lead_seconds, 0, 3600,
         "Seconds between health saying NOT_SERVING and no more calls being "
         "taken, on SIGTERM");
  number("--drain-seconds", options.drain_seconds, 0, 3600,
         "Seconds that running calls have to finish, on SIGTERM");

  add("--log-level", options.log_level,
      "debug, info, warning or error; can be changed at run time")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  add("--log-file", options.log_file,
      "File that the log is appended to; empty: standard error");
  add("--time-zone", options.time_zone,
      "The plant's time zone: what a day is in plans, schedules and "
      "dashboards");
}

absl::Status Check(const ServiceOptions& options) {
  std::vector<std::string> faults;
  const auto fault_if = [&](bool wrong, const std::string& text) {
    if (wrong) faults.push_back(text);
  };
  fault_if(!IsAddress(options.listen), "--listen must be host:port");
  fault_if(
      !options.metrics_listen.empty() && !IsAddress(options.metrics_listen),
      "--metrics-listen must be host:port");
  fault_if(!options.probe_listen.empty() && !IsAddress(options.probe_listen),
           "--probe-listen must be host:port");
  fault_if(!options.peer.empty() && !IsAddress(options.peer),
           "--peer must be host:port");
  fault_if(options.database.empty(), "--database is needed");
  if (IsEmbedded(options)) {
    fault_if(options.identity_issuer.empty(), "--identity-issuer is needed");
    fault_if(!options.token_keys.empty() &&
                 options.identity_issuer == options.token.issuer,
             "--identity-issuer and --token-issuer must differ: the keys of "
             "one do not vouch for the other");
  } else {
    fault_if(options.token_keys.empty(),
             "--token-keys is needed with --identity external");
  }
  fault_if(IsUrl(options.token_keys) &&
               !absl::StartsWith(options.token_keys, "https://"),
           "--token-keys must be a file or an https URL");
  if (options.insecure) {
    fault_if(!IsLoopback(options.listen),
             "--insecure is for the machine's own addresses, and --listen is "
             "not one");
  } else {
    fault_if(options.tls.certificate.empty(), "--tls-certificate is needed");
    fault_if(options.tls.key.empty(), "--tls-key is needed");
    fault_if(options.tls.ca.empty(), "--tls-ca is needed");
    fault_if(!options.peer.empty() && options.peer_names.empty(),
             "--peer-name is needed with --peer");
  }
  fault_if(!telemetry::ParseLevel(options.log_level).has_value(),
           "--log-level must be debug, info, warning or error");
  absl::TimeZone zone;
  fault_if(
      !absl::LoadTimeZone(options.time_zone, &zone),
      "--time-zone names none that this machine knows: " + options.time_zone);
  if (faults.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(faults, "\n"));
}

telemetry::Log::Options LogOptions(const ServiceOptions& options,
                                   std::string service) {
  return {.level = telemetry::ParseLevel(options.log_level)
                       .value_or(telemetry::Level::kInfo),
          .file = options.log_file,
          .service = std::move(service)};
}

ServerSettings MakeServerSettings(const ServiceOptions& options) {
  ServerSettings settings;
  settings.listen = options.listen;
  settings.probe_listen = options.probe_listen;
  settings.tls = options.tls;
  settings.insecure = options.insecure;
  settings.reflection = options.reflection;
  settings.streams.upload_bytes = int64_t{options.max_upload_mib} << 20;
  settings.streams.all_uploads_bytes = int64_t{options.max_uploads_mib} << 20;
  settings.max_concurrent_streams = options.max_concurrent_streams;
  settings.max_connection_age =
      absl::Seconds(options.max_connection_age_seconds);
  return settings;
}

Pipeline::Settings MakePipelineSettings(const ServiceOptions& options,
                                        std::string domain,
                                        std::vector<std::string> packages) {
  return {.domain = std::move(domain),
          .packages = std::move(packages),
          .max_in_flight = options.max_in_flight,
          .default_deadline = absl::Milliseconds(options.default_deadline_ms)};
}

Authenticator::Settings MakeAuthenticatorSettings(
    const ServiceOptions& options, Authenticator::Revoked revoked) {
  return {.peer_names = options.peer_names, .revoked = std::move(revoked)};
}

ChannelSettings MakePeerSettings(const ServiceOptions& options) {
  ChannelSettings settings;
  settings.target = options.peer;
  settings.tls = options.tls;
  settings.insecure = options.insecure;
  if (!options.peer_names.empty()) {
    settings.server_name = options.peer_names.front();
  }
  return settings;
}

TokenSettings OwnTokens(const ServiceOptions& options) {
  return {.issuer = options.identity_issuer,
          .audience = options.token.audience};
}

absl::TimeZone PlantTimeZone(const ServiceOptions& options) {
  absl::TimeZone zone = absl::UTCTimeZone();
  absl::LoadTimeZone(options.time_zone, &zone);
  return zone;
}

}  // namespace mtp::rpc

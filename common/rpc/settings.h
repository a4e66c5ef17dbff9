#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/rpc/identity.h"
#include "common/rpc/peer_channel.h"
#include "common/rpc/pipeline.h"
#include "common/rpc/server.h"
#include "common/telemetry/log.h"

namespace CLI {
class App;
}

namespace mtp::rpc {

// What both services can be told by flags and environment alike. The defaults
// of addresses differ per service: set them before AddFlags.
struct ServiceOptions {
  std::string listen;
  std::string metrics_listen;
  std::string probe_listen;
  std::string database;

  TlsFiles tls;
  bool insecure = false;
  bool reflection = true;

  // Who signs people in: the order service (`embedded`), with tokens of
  // `identity_issuer`, or the company's provider alone (`external`). The keys
  // of `token_keys`, a file or an https URL, vouch for `token.issuer` in either
  // case.
  std::string identity = "embedded";
  std::string identity_issuer = "mtp-order";
  std::string token_keys;
  std::string token_keys_ca;
  int token_keys_refresh_seconds = 300;
  TokenSettings token;

  std::string peer;
  std::vector<std::string> peer_names;

  int max_in_flight = 4096;
  int default_deadline_ms = 30'000;
  int max_upload_mib = 256;
  int max_uploads_mib = 1024;
  int max_concurrent_streams = 1024;
  int max_connection_age_seconds = 1800;
  int drain_lead_seconds = 0;
  int drain_seconds = 20;

  std::string log_level = "info";
  std::string log_file;
  std::string time_zone = "Asia/Colombo";
};

// Adds a flag for each, with its environment variable (PREFIX_LISTEN for
// `--listen`), its help and its default. `options` outlives the parsing.
void AddFlags(CLI::App& app, const std::string& prefix,
              ServiceOptions& options);

// Everything that is wrong with them, in one line each.
absl::Status Check(const ServiceOptions& options);

// The parts of a service, as the options say. The options are checked.
telemetry::Log::Options LogOptions(const ServiceOptions& options,
                                   std::string service);
ServerSettings MakeServerSettings(const ServiceOptions& options);
Pipeline::Settings MakePipelineSettings(const ServiceOptions& options,
                                        std::string domain,
                                        std::vector<std::string> packages);
Authenticator::Settings MakeAuthenticatorSettings(
    const ServiceOptions& options, Authenticator::Revoked revoked = {});
ChannelSettings MakePeerSettings(const ServiceOptions& options);
// What tokens that the order service gives say, and are checked for.
TokenSettings OwnTokens(const ServiceOptions& options);
inline bool IsEmbedded(const ServiceOptions& options) {
  return options.identity == "embedded";
}
inline bool IsUrl(const std::string& token_keys) {
  return token_keys.find("://") != std::string::npos;
}
absl::TimeZone PlantTimeZone(const ServiceOptions& options);

}  // namespace mtp::rpc

#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/rpc/call.h"
#include "common/rpc/token.h"

namespace mtp::rpc {

// Says who calls. A token counts before a certificate: a call that the peer
// passes on for a person is that person's. Thread-safe.
class Authenticator {
 public:
  // Whether what was issued to `subject` at that time no longer counts. Called
  // on gRPC's threads for every call: an in-memory look, no waiting.
  using Revoked =
      std::function<bool(std::string_view subject, absl::Time issued_at)>;

  struct Settings {
    // Names in certificates that are the peer service.
    std::vector<std::string> peer_names;
    Revoked revoked;
  };

  // Without a `verifier`, which outlives this, every token is refused.
  Authenticator(Settings settings, TokenVerifier* verifier);

  // `authorization` is the header as it came, empty when there was none;
  // `certificate_names` gives the names in the verified client certificate and
  // is asked only when they count. Nobody is no error: whether that is enough
  // is for the method to say.
  absl::StatusOr<Caller> Authenticate(
      std::string_view authorization,
      const std::function<std::vector<std::string>()>& certificate_names) const;

  // Whether one of the names in a verified certificate is the peer's.
  bool IsPeer(const std::vector<std::string>& certificate_names) const;

 private:
  absl::StatusOr<Caller> Person(std::string_view authorization) const;

  const Settings settings_;
  TokenVerifier* const verifier_;
};

}  // namespace mtp::rpc

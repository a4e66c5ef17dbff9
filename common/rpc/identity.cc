#include "common/rpc/identity.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "common/base/errors.h"
#include "common/base/status.h"

namespace mtp::rpc {

Authenticator::Authenticator(Settings settings, TokenVerifier* verifier)
    : settings_(std::move(settings)), verifier_(verifier) {}

absl::StatusOr<Caller> Authenticator::Authenticate(
    std::string_view authorization,
    const std::function<std::vector<std::string>()>& certificate_names) const {
  if (!authorization.empty()) return Person(authorization);
  if (settings_.peer_names.empty()) return Caller{};
  for (const std::string& name : certificate_names()) {
    if (std::find(settings_.peer_names.begin(), settings_.peer_names.end(),
                  name) != settings_.peer_names.end()) {
      return Caller{
          .kind = Caller::Kind::kService, .subject = name, .username = name};
    }
  }
  return Caller{};
}

bool Authenticator::IsPeer(
    const std::vector<std::string>& certificate_names) const {
  return std::find_first_of(certificate_names.begin(), certificate_names.end(),
                            settings_.peer_names.begin(),
                            settings_.peer_names.end()) !=
         certificate_names.end();
}

absl::StatusOr<Caller> Authenticator::Person(
    std::string_view authorization) const {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() < kScheme.size() ||
      !absl::EqualsIgnoreCase(
          absl::string_view(authorization.data(), kScheme.size()),
          absl::string_view(kScheme.data(), kScheme.size()))) {
    return errors::Unauthenticated(
        "TOKEN_MALFORMED",
        "the authorization header is not 'Bearer' and a token");
  }
  if (verifier_ == nullptr) {
    return errors::Unauthenticated("TOKEN_KEY_UNKNOWN",
                                   "no tokens are taken here");
  }
  ASSIGN_OR_RETURN(TokenClaims claims,
                   verifier_->Verify(authorization.substr(kScheme.size())));
  if (settings_.revoked &&
      settings_.revoked(claims.subject, claims.issued_at)) {
    return errors::Unauthenticated(
        "TOKEN_REVOKED",
        "the token was revoked: the user was disabled, signed out or changed");
  }
  return Caller{.kind = Caller::Kind::kPerson,
                .subject = std::move(claims.subject),
                .username = std::move(claims.username),
                .role = claims.role,
                .session_id = std::move(claims.session_id),
                .must_change_password = claims.must_change_password};
}

}  // namespace mtp::rpc

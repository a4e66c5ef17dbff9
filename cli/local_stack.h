#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "mtp/options/v1/role.pb.h"

namespace mtp::cli {

// A stack that `make up` runs on this machine: where its files are. The
// defaults of the connection come from it.
struct LocalStack {
  // The checkout, and the folder of what runs in it.
  std::string home;
  std::string var;

  std::string Authority() const { return var + "/certificates/ca.pem"; }
  std::string SigningKey() const { return var + "/tokens/signing.key"; }
  std::string KeySet() const { return var + "/tokens/jwks.json"; }
  std::string SamplePlan() const {
    return home + "/deploy/local/sample/plan-november.csv";
  }
};

// The checkout that MTP_HOME names, else the one that the working folder is in,
// else the one that this program was built in. Its files need not be there.
std::optional<LocalStack> FindLocalStack();

// The address of a service of a local stack: its port is MTP_LOCAL_ORDER_PORT
// or MTP_LOCAL_PROCESSING_PORT where these are set, as `make up` takes them.
std::string LocalOrderAddress();
std::string LocalProcessingAddress();

// A token of the local stack for somebody of this role, signed with the
// stack's own key. The same role is always the same person.
absl::StatusOr<std::string> LocalToken(const LocalStack& stack,
                                       options::v1::Role role, absl::Time now,
                                       absl::Duration lifetime);

// The person of that role: `grandpass-officer`.
std::string LocalUsername(options::v1::Role role);

}  // namespace mtp::cli

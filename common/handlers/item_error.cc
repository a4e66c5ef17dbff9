#include "common/handlers/item_error.h"

#include "common/rpc/status.h"

namespace mtp::handlers {

google::rpc::Status ItemError(const absl::Status& status,
                              std::string_view domain,
                              std::string_view correlation_id) {
  google::rpc::Status error;
  error.ParseFromString(
      rpc::ToGrpc(status, domain, correlation_id).error_details());
  return error;
}

}  // namespace mtp::handlers

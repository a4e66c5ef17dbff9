#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Leaves the function with the status when it is not OK.
#define RETURN_IF_ERROR(expression)                               \
  do {                                                            \
    if (absl::Status mtp_status = (expression); !mtp_status.ok()) \
      return mtp_status;                                          \
  } while (false)

#define MTP_STATUS_CONCAT_INNER(a, b) a##b
#define MTP_STATUS_CONCAT(a, b) MTP_STATUS_CONCAT_INNER(a, b)

// ASSIGN_OR_RETURN(auto x, F()): x = F()'s value, or leaves with its status.
#define ASSIGN_OR_RETURN(target, expression)                           \
  ASSIGN_OR_RETURN_INNER(MTP_STATUS_CONCAT(mtp_or_, __LINE__), target, \
                         expression)
#define ASSIGN_OR_RETURN_INNER(holder, target, expression) \
  auto holder = (expression);                              \
  if (!holder.ok()) return std::move(holder).status();     \
  target = *std::move(holder)

#pragma once

#include "common/handlers/commands.h"
#include "common/handlers/queries.h"
#include "common/sync/exceptions.h"
#include "mtp/ops/v1/operations.pb.h"

// The exceptions of one side as operators see and close them.
namespace mtp::operations {

// The rule of CloseException.
absl::StatusOr<ops::v1::CloseExceptionResponse> CloseException(
    const ops::v1::CloseExceptionRequest& request, handlers::Context& context,
    db::Table<sync::Exception>& exceptions);

template <typename Rows>
void TouchCloseException(const ops::v1::CloseExceptionRequest& request,
                         Rows& rows) {
  rows.exceptions.Want(*Uuid::Parse(request.exception_id()));
}

template <typename Rows>
absl::StatusOr<ops::v1::CloseExceptionResponse> DecideCloseException(
    const ops::v1::CloseExceptionRequest& request, handlers::Context& context,
    Rows& rows) {
  return CloseException(request, context, rows.exceptions);
}

void AddListExceptions(handlers::Queries& queries);

template <typename Rows>
void AddExceptions(handlers::Commands<Rows>& commands,
                   handlers::Queries& queries) {
  AddListExceptions(queries);
  commands.Add("mtp.ops.v1.OperationsService/CloseException",
               TouchCloseException<Rows>, DecideCloseException<Rows>);
}

}  // namespace mtp::operations

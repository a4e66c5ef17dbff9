#include "common/operations/exceptions.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/errors.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/paging.h"

namespace mtp::operations {
namespace {

using ops::v1::ListExceptionsRequest;
using ops::v1::ListExceptionsResponse;

// Ids are ordered by time. A thing without a key: all of its kind.
constexpr std::string_view kFilter = R"(
  FROM sync.exception
  WHERE (cardinality($1::text[]) = 0 OR kind = ANY ($1::text[]))
    AND ($2::boolean OR closed_at IS NULL)
    AND ($3::text = '' OR things @> ARRAY[$3::text])
    AND ($4::text = '' OR EXISTS (
           SELECT FROM unnest(things) AS thing WHERE starts_with(thing, $4::text || ':')))
    AND ($5::text = '' OR must_act = $5::text)
    AND ($6::timestamptz IS NULL OR opened_at >= $6::timestamptz)
    AND ($7::timestamptz IS NULL OR opened_at < $7::timestamptz)
)";
constexpr std::string_view kLatestFirst = R"(
    AND ($8::uuid IS NULL OR exception_id < $8::uuid)
  ORDER BY exception_id DESC
  LIMIT $9::bigint
)";
constexpr std::string_view kOldestFirst = R"(
    AND ($8::uuid IS NULL OR exception_id > $8::uuid)
  ORDER BY exception_id
  LIMIT $9::bigint
)";

absl::Status AskListExceptions(const ListExceptionsRequest& request,
                               db::Exchange& exchange) {
  static const db::Statement kListLatestFirst =
      db::Compose({"SELECT ", sync::kExceptionColumns, kFilter, kLatestFirst});
  static const db::Statement kListOldestFirst =
      db::Compose({"SELECT ", sync::kExceptionColumns, kFilter, kOldestFirst});

  const common::v1::Thing& thing = request.thing();
  if (thing.kind().empty() && !thing.key().empty())
    return errors::InvalidField("thing.kind", "is required with a key");
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 1));
  std::optional<Uuid> after;
  if (!keys.empty()) {
    after = Uuid::Parse(keys[0]);
    if (!after.has_value()) return handlers::PageTokenInvalid();
  }
  std::vector<std::string> kinds;
  for (const int kind : request.kinds()) {
    kinds.emplace_back(db::EnumText(static_cast<ops::v1::ExceptionKind>(kind)));
  }
  std::optional<absl::Time> from;
  std::optional<absl::Time> before;
  if (request.has_opened_from()) from = FromProto(request.opened_from());
  if (request.has_opened_before()) before = FromProto(request.opened_before());
  const bool whole = !thing.key().empty();
  exchange.Add(request.order_by() == ops::v1::LIST_EXCEPTIONS_ORDER_OPENED
                   ? kListOldestFirst
                   : kListLatestFirst,
               db::Params()
                   .Array(kinds)
                   .Add(request.with_closed())
                   .Add(whole ? sync::ThingText(thing.kind(), thing.key()) : "")
                   .Add(whole ? "" : thing.kind())
                   .Add(request.acting_role())
                   .Add(from)
                   .Add(before)
                   .Add(after)
                   .Add(handlers::PageSize(request.page_size()) + 1));
  return absl::OkStatus();
}

absl::StatusOr<ListExceptionsResponse> AnswerListExceptions(
    const ListExceptionsRequest& request, const db::Results& results) {
  ListExceptionsResponse response;
  for (const db::Row row : results[0]) {
    if (response.exceptions_size() == handlers::PageSize(request.page_size())) {
      const auto& last = response.exceptions(response.exceptions_size() - 1);
      response.set_next_page_token(
          handlers::NextPageToken(request, {last.exception_id()}));
      break;
    }
    *response.add_exceptions() = sync::Shown(db::Read<sync::Exception>(row));
  }
  return response;
}

}  // namespace

// Only what is open changes anything, and only once: who closed it stays.
absl::StatusOr<ops::v1::CloseExceptionResponse> CloseException(
    const ops::v1::CloseExceptionRequest& request, handlers::Context& context,
    db::Table<sync::Exception>& exceptions) {
  const sync::Exception* found =
      exceptions.Find(*Uuid::Parse(request.exception_id()));
  if (found == nullptr)
    return errors::NotFound("exception", request.exception_id());
  if (found->closed_at.has_value()) {
    return errors::FailedPrecondition(
        "EXCEPTION_CLOSED",
        "the exception was closed already, by " +
            (found->closed_by_username.empty() ? found->closed_by
                                               : found->closed_by_username),
        {{"exception_id", request.exception_id()},
         {"closed_at", absl::FormatTime(absl::RFC3339_full, *found->closed_at,
                                        absl::UTCTimeZone())},
         {"close_reason", found->closed_reason}});
  }
  sync::Exception& exception = exceptions.Edit(*found);
  exception.closed_at = context.now();
  exception.closed_by = context.caller().subject;
  exception.closed_by_username = context.caller().username;
  exception.closed_by_role = context.caller().role;
  exception.closed_reason = request.reason();
  context.Audit("exception", request.exception_id(), "closed",
                {{"kind", std::string(db::EnumText(exception.kind))},
                 {"thing", exception.things.front()}});
  ops::v1::CloseExceptionResponse response;
  *response.mutable_exception() = sync::Shown(exception);
  return response;
}

void AddListExceptions(handlers::Queries& queries) {
  queries.Add("mtp.ops.v1.OperationsService/ListExceptions", AskListExceptions,
              AnswerListExceptions);
}

}  // namespace mtp::operations

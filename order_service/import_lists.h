#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/db/connection.h"
#include "common/handlers/file_imports.h"
#include "common/handlers/paging.h"
#include "order_service/errors.h"
#include "order_service/filters.h"
#include "order_service/page_keys.h"

// What the lists of imports have in common, and how one of them is shown.
// Their tables (plan_import, request_import) and their messages name what they
// share alike.
namespace mtp::order {

// Behind "SELECT … FROM table": the filters of AskListImports.
inline constexpr std::string_view kImportFilter = R"(
  WHERE ($1::text = '' OR strpos(lower(file_name), lower($1)) > 0)
    AND ($2::text = '' OR file_digest = decode($2, 'hex'))
    AND ($3::text = '' OR imported_by = $3)
    AND ($4::timestamptz IS NULL OR imported_at >= $4)
    AND ($5::timestamptz IS NULL OR imported_at < $5)
    AND (NOT $6::boolean OR stored)
)";
// Behind the filter: a page of them.
inline constexpr std::string_view kImportsUp = R"(
  AND ($8::timestamptz IS NULL OR (imported_at, import_id) > ($8, $9::uuid))
  ORDER BY imported_at, import_id
  LIMIT $7::bigint
)";
inline constexpr std::string_view kImportsDown = R"(
  AND ($8::timestamptz IS NULL OR (imported_at, import_id) < ($8, $9::uuid))
  ORDER BY imported_at DESC, import_id DESC
  LIMIT $7::bigint
)";

// Asks for a page of imports with one of the statements that are made of these.
template <typename Request>
absl::Status AskListImports(const Request& request,
                            const db::Statement& statement,
                            db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 2));
  std::optional<absl::Time> after_time;
  std::optional<Uuid> after_id;
  if (!keys.empty()) {
    RETURN_IF_ERROR(ReadPageKey(keys[0], after_time.emplace()));
    after_id = Uuid::Parse(keys[1]);
    if (!after_id.has_value()) return errors::PageTokenInvalid();
  }
  if (!request.file_digest().empty() &&
      !handlers::IsFileDigest(request.file_digest())) {
    return errors::FileDigestInvalid();
  }
  exchange.Add(
      statement,
      db::Params()
          .Add(request.search())
          .Add(request.file_digest())
          .Add(absl::AsciiStrToLower(request.imported_by_subject()))
          .Add(TimeIf(request.has_imported_from(), request.imported_from()))
          .Add(TimeIf(request.has_imported_before(), request.imported_before()))
          .Add(request.only_stored())
          .Add(handlers::PageSize(request.page_size()) + 1)
          .Add(after_time)
          .Add(after_id));
  return absl::OkStatus();
}

// An import as its row has it: all of Import::kLoaded.
template <typename Import>
Import ReadImport(const db::Row& row) {
  Import import;
  std::apply([&](auto... member) { row.Into(import.*member...); },
             Import::kLoaded);
  return import;
}

// The page that was asked for, into the repeated field of the response.
template <typename Import, typename Request, typename Shown, typename Response>
void ShowImports(const Request& request, const db::Result& rows, Shown& shown,
                 Response& response) {
  Import last;
  for (const db::Row row : rows) {
    if (shown.size() == handlers::PageSize(request.page_size())) {
      response.set_next_page_token(handlers::NextPageToken(
          request, {PageKey(last.imported_at), last.import_id.ToString()}));
      break;
    }
    last = ReadImport<Import>(row);
    *shown.Add() = last.Shown();
  }
}

// Shows a page of an import's parts: `show` adds a row to the response and
// returns its key.
template <typename Request, typename Response>
void ShowParts(const Request& request, const db::Result& rows,
               std::string (*show)(const db::Row&, Response&),
               Response& response) {
  int64_t shown = 0;
  std::string last_key;
  for (const db::Row row : rows) {
    if (shown++ == handlers::PageSize(request.page_size())) {
      response.set_next_page_token(
          handlers::NextPageToken(request, {last_key}));
      break;
    }
    last_key = show(row, response);
  }
}

// A fault that is kept: its number, line, column, value, reason and message.
// Returns its key.
template <typename Response>
std::string ShowKeptFault(const db::Row& row, Response& response) {
  int64_t fault_number = 0;
  int64_t line = 0;
  std::string column;
  std::string value;
  v1::BadRowReason reason = v1::BAD_ROW_REASON_UNSPECIFIED;
  std::string message;
  row.Into(fault_number, line, column, value, reason, message);
  v1::BadRow& fault = *response.add_bad_rows();
  fault.set_line_number(line);
  fault.set_column(column);
  fault.set_value(value);
  fault.set_reason(reason);
  fault.set_message(message);
  return PageKey(fault_number);
}

}  // namespace mtp::order

#include "common/sync/exceptions.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/protos.h"
#include "common/sync/audit.h"

namespace mtp::sync {

namespace {

constexpr std::string_view kColumns = R"(
  exception_id, kind, things, description, must_act, acting_side, dedupe_key,
  opened_at, correlation_id, closed_at, coalesce(closed_by, ''), closed_by_username,
  closed_by_role, coalesce(closed_reason, ''), amounts::text
)";

// `shipment:17/1` as kind and key.
common::v1::Thing ThingOf(std::string_view text) {
  common::v1::Thing thing;
  const size_t colon = text.find(':');
  thing.set_kind(std::string(text.substr(0, colon)));
  if (colon != std::string_view::npos)
    thing.set_key(std::string(text.substr(colon + 1)));
  return thing;
}

}  // namespace

const std::string_view kExceptionColumns = kColumns;

const db::Statement Exception::kLoad = db::Compose({"SELECT ", kColumns, R"(
  FROM sync.exception JOIN unnest($1::uuid[]) AS wanted (exception_id)
    USING (exception_id)
  ORDER BY exception_id
  FOR UPDATE OF exception
)"});

const db::Statement Exception::kLoadOpenOfThing =
    db::Compose({"SELECT ", kColumns, R"(
  FROM sync.exception
  WHERE closed_at IS NULL AND things && $1::text[]
  ORDER BY exception_id
)"});

const db::Statement Exception::kInsert{R"(
  INSERT INTO sync.exception (
    exception_id, kind, things, amounts, description, must_act, acting_side,
    dedupe_key, opened_at, correlation_id
  ) SELECT
    exception_id, kind, string_to_array(things, E'\n'), amounts::jsonb, description,
    must_act, acting_side, dedupe_key, opened_at, correlation_id
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
              $7::text[], $8::text[], $9::timestamptz[], $10::text[])
    AS fresh (exception_id, kind, things, amounts, description, must_act, acting_side,
              dedupe_key, opened_at, correlation_id)
  ORDER BY dedupe_key
  ON CONFLICT (dedupe_key) WHERE closed_at IS NULL DO NOTHING
)"};

const db::Statement Exception::kUpdate{R"(
  UPDATE sync.exception AS exception
  SET closed_at = done.closed_at, closed_by = done.closed_by,
      closed_by_username = done.closed_by_username,
      closed_by_role = done.closed_by_role, closed_reason = done.closed_reason
  FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS done (exception_id, closed_at, closed_by, closed_by_username, closed_by_role,
             closed_reason)
  WHERE exception.exception_id = done.exception_id
)"};

bool Exception::IsOpenOf(std::string_view thing) const {
  return !closed_at.has_value() &&
         std::find(things.begin(), things.end(), thing) != things.end();
}

std::string Exception::JoinedThings() const {
  return absl::StrJoin(things, "\n");
}

std::string Exception::AmountsAsJson() const {
  Change named;
  for (const auto& [name, grams] : amounts) named.emplace_back(name, grams);
  return ChangeAsJson(named);
}

ops::v1::Exception Shown(const Exception& exception) {
  ops::v1::Exception shown;
  shown.set_exception_id(exception.exception_id.ToString());
  shown.set_kind(exception.kind);
  for (const std::string& thing : exception.things)
    *shown.add_things() = ThingOf(thing);
  const auto amounts = nlohmann::ordered_json::parse(
      exception.stored_amounts.empty() ? exception.AmountsAsJson()
                                       : exception.stored_amounts,
      nullptr, /*allow_exceptions=*/false);
  for (const auto& [name, grams] : amounts.items()) {
    if (!grams.is_number_integer()) continue;
    ops::v1::Amount& amount = *shown.add_amounts();
    amount.set_name(name);
    amount.set_grams(grams.get<int64_t>());
  }
  shown.set_description(exception.description);
  shown.set_acting_role(exception.must_act);
  shown.set_acting_side(exception.acting_side);
  if (!exception.correlation_id.empty())
    shown.add_correlation_ids(exception.correlation_id);
  *shown.mutable_opened_at() = ToProto(exception.opened_at);
  if (!exception.closed_at.has_value()) return shown;
  *shown.mutable_closed_at() = ToProto(*exception.closed_at);
  shown.mutable_closed_by()->set_subject(exception.closed_by);
  shown.mutable_closed_by()->set_username(exception.closed_by_username);
  shown.mutable_closed_by()->set_role(exception.closed_by_role);
  shown.set_close_reason(exception.closed_reason);
  return shown;
}

std::string ThingText(std::string_view kind, std::string_view key) {
  return absl::StrCat(std::string(kind), ":", std::string(key));
}

}  // namespace mtp::sync

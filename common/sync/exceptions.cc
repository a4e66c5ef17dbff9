#include "common/sync/exceptions.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/sync/audit.h"

namespace mtp::sync {

constexpr std::string_view kColumns = R"(
  exception_id, kind, things, description, must_act, acting_side, dedupe_key,
  opened_at, correlation_id, closed_at
)";

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

std::string ThingText(std::string_view kind, std::string_view key) {
  return absl::StrCat(std::string(kind), ":", std::string(key));
}

}  // namespace mtp::sync

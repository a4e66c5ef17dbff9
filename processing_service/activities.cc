#include "processing_service/activities.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/actor.h"
#include "common/handlers/paging.h"
#include "common/sync/audit.h"
#include "processing_service/bag_rows.h"
#include "processing_service/errors.h"
#include "processing_service/listing.h"

namespace mtp::processing {
namespace {

constexpr ActivityWord kWords[] = {
    {"location", "created", v1::ACTIVITY_KIND_LOCATION_CREATED,
     "{subject} was made."},
    {"location", "changed", v1::ACTIVITY_KIND_LOCATION_UPDATED,
     "{subject} was changed."},
    {"location", "deleted", v1::ACTIVITY_KIND_LOCATION_DELETED,
     "{subject} was removed."},
    {"tealine", "created", v1::ACTIVITY_KIND_ITEM_CREATED,
     "{subject} was defined."},
    {"tealine", "changed", v1::ACTIVITY_KIND_ITEM_UPDATED,
     "{subject} was changed."},
    {"tealine", "deleted", v1::ACTIVITY_KIND_ITEM_DELETED,
     "{subject} was removed."},
    {"herbline", "created", v1::ACTIVITY_KIND_ITEM_CREATED,
     "{subject} was defined."},
    {"herbline", "changed", v1::ACTIVITY_KIND_ITEM_UPDATED,
     "{subject} was changed."},
    {"herbline", "deleted", v1::ACTIVITY_KIND_ITEM_DELETED,
     "{subject} was removed."},
    {"blendbalance", "created", v1::ACTIVITY_KIND_ITEM_CREATED,
     "{subject} was defined."},
    {"blendbalance", "changed", v1::ACTIVITY_KIND_ITEM_UPDATED,
     "{subject} was changed."},
    {"blendbalance", "deleted", v1::ACTIVITY_KIND_ITEM_DELETED,
     "{subject} was removed."},
    {"blendsheet", "created", v1::ACTIVITY_KIND_RECIPE_CREATED,
     "{subject} was made."},
    {"blendsheet", "revised", v1::ACTIVITY_KIND_RECIPE_REVISED,
     "{subject} was revised: revision {revision}."},
    {"blendsheet", "retired", v1::ACTIVITY_KIND_RECIPE_RETIRED,
     "{subject} was retired."},
    {"flavorsheet", "created", v1::ACTIVITY_KIND_RECIPE_CREATED,
     "{subject} was made."},
    {"flavorsheet", "revised", v1::ACTIVITY_KIND_RECIPE_REVISED,
     "{subject} was revised: revision {revision}."},
    {"flavorsheet", "retired", v1::ACTIVITY_KIND_RECIPE_RETIRED,
     "{subject} was retired."},
    {"batch", "opened", v1::ACTIVITY_KIND_BATCH_OPENED,
     "{subject} was opened."},
    {"batch", "measured", v1::ACTIVITY_KIND_BATCH_MEASURED,
     "{subject} was measured."},
    {"batch", "completed", v1::ACTIVITY_KIND_BATCH_COMPLETED,
     "{subject} was completed."},
    {"batch", "reopened", v1::ACTIVITY_KIND_BATCH_REOPENED,
     "{subject} was opened again."},
    {"batch", "requested", v1::ACTIVITY_KIND_APPROVAL_REQUESTED,
     "The trader was asked for {subject}."},
    {"batch", "allowed", v1::ACTIVITY_KIND_BATCH_ALLOWED,
     "{subject} was allowed by the trader."},
    {"batch", "blocked", v1::ACTIVITY_KIND_BATCH_BLOCKED,
     "{subject} was blocked by the trader."},
    {"batch", "elevated", v1::ACTIVITY_KIND_BATCH_ELEVATED,
     "{subject} was left to the traders' supervisor."},
    {"bag", "received", v1::ACTIVITY_KIND_BAG_RECEIVED,
     "{subject} was weighed in: {kg} kg at {location}."},
    {"bag", "moved", v1::ACTIVITY_KIND_BAG_MOVED,
     "{subject} was moved from {from} to {to}."},
    {"bag", "corrected", v1::ACTIVITY_KIND_BAG_CORRECTED,
     "{subject} was weighed again: {kg} kg."},
    {"bag", "written_off", v1::ACTIVITY_KIND_BAG_WRITTEN_OFF,
     "{kg} kg of {subject} were written off."},
    {"bag", "dispatched", v1::ACTIVITY_KIND_BAG_DISPATCHED,
     "{subject} has left the site."},
    {"bag", "dispatch_taken_back", v1::ACTIVITY_KIND_DISPATCH_CORRECTED,
     "{subject} has not left the site after all."},
    {"bag", "returned", v1::ACTIVITY_KIND_BAG_RETURNED,
     "{subject} came back: {kg} kg at {location}."},
    {"location", "counted", v1::ACTIVITY_KIND_STOCKTAKE_RECORDED,
     "The bags at {name} were counted."},
    {"stock_import", "stored", v1::ACTIVITY_KIND_OPENING_STOCK_IMPORTED,
     "Opening stock was taken over from {file_name}: {kg} kg."},
    {"bag", "allocated", v1::ACTIVITY_KIND_ALLOCATED,
     "{kg} kg of {subject} went to {target}."},
    {"bag", "released", v1::ACTIVITY_KIND_ALLOCATION_RELEASED,
     "{kg} kg came back from {target} to {subject}."},
    {"bag", "given_back", v1::ACTIVITY_KIND_ALLOCATION_GIVEN_BACK,
     "{kg} kg came back from {target} to {subject}, for less is wanted."},
    {"shipment", "given_back", v1::ACTIVITY_KIND_ALLOCATION_GIVEN_BACK,
     "{subject} gave back {kg} kg in all, for less is wanted."},
    {"parcel", "created", v1::ACTIVITY_KIND_PARCEL_CREATED,
     "{kg} kg went to schedule {schedule_code}."},
    {"parcel", "released", v1::ACTIVITY_KIND_PARCEL_RELEASED,
     "{kg} kg came back from schedule {schedule_code}."},
    {"allocation_rule", "set", v1::ACTIVITY_KIND_ALLOCATION_RULE_SET,
     "Whether a {kind} may go to a {target} was set: {allowed}."},
    {"shipment", "marked_ready", v1::ACTIVITY_KIND_SHIPMENT_READY,
     "{subject} stands ready."},
    {"shipment", "marked_not_ready", v1::ACTIVITY_KIND_SHIPMENT_NOT_READY,
     "{subject} does not stand ready."},
    {"shipment", "dispatched", v1::ACTIVITY_KIND_SHIPMENT_DISPATCHED,
     "{subject} left with {vehicle}: {kg} kg."},
    {"shipment", "dispatch_corrected", v1::ACTIVITY_KIND_DISPATCH_CORRECTED,
     "{subject} left with {new_vehicle}, not with {old_vehicle}."},
    {"shipment", "dispatch_taken_back", v1::ACTIVITY_KIND_DISPATCH_CORRECTED,
     "{subject} has not left with {old_vehicle} after all."},
    {"hold", "placed", v1::ACTIVITY_KIND_BAGS_HELD, "Bags were held back."},
    {"hold", "released", v1::ACTIVITY_KIND_HOLD_RELEASED,
     "Bags that were held back were released."},
    {"shipment", "heard", v1::ACTIVITY_KIND_SHIPMENT_HEARD,
     "Grandpass told of {subject}: {kg} kg."},
};

// As the statements compare them: `bag allocated`.
std::string TrailText(const ActivityWord& word) {
  return absl::StrCat(std::string(word.entity_kind), " ",
                      std::string(word.action));
}

// --- the text

// What the sentences name of a change.
constexpr const char* kChangeNames[] = {
    "location",  "from",     "to",          "name",
    "file_name", "revision", "vehicle",     "old_vehicle",
    "kind",      "allowed",  "new_vehicle", "schedule_code"};

// A brace in what is filled in, as long as there are names to fill in: what
// people write is no name of ours. No text that is kept has this character.
constexpr std::string_view kBrace = "chr(1)";

// The sentence of an entry ($2, for what $1 has at the same place), with all
// names filled in and the remarks behind it.
std::string TextSql() {
  std::string sql =
      "($2::text[])[array_position($1::text[], entry.entity_kind || ' ' || "
      "entry.action)]";
  const auto fill = [&sql](const char* name, const std::string& value) {
    sql = absl::StrCat("replace(", sql, ", '{", name, "}', replace(", value,
                       ", '{', ", std::string(kBrace), "))");
  };
  for (const char* name : kChangeNames)
    fill(name, absl::StrCat("coalesce(entry.change ->> '", name, "', '')"));
  for (const char* name : {"subject", "target", "kg"})
    fill(name, absl::StrCat("named.", name));
  sql = absl::StrCat("replace(", sql, ", ", std::string(kBrace), ", '{')");
  return absl::StrCat("upper(left(", sql, ", 1)) || substr(", sql,
                      ", 2) || CASE WHEN entry.remarks = '' THEN '' ELSE ' (' "
                      "|| entry.remarks || ')' END");
}

// What people call a batch: append its id and a bracket.
constexpr std::string_view kBatchName = R"(
  (SELECT 'batch ' || recipe_revision.blend_code || recipe_revision.flavor_code || '/' ||
          batch.batch_number
   FROM batch
   JOIN recipe_revision ON recipe_revision.recipe_id = batch.recipe_id
                       AND recipe_revision.revision = batch.revision
   WHERE batch.batch_id =
)";

// What an entry is about in words, by what is still there of it; the weight;
// and the item or batch that a bag is of. Written FROM nothing, so that only
// what is shown is looked up.
std::string NamedSql() {
  return absl::StrCat(
      R"(CROSS JOIN LATERAL (SELECT
        CASE entry.entity_kind
          WHEN 'bag' THEN coalesce(
            (SELECT 'bag ' || bag.bag_number || ' of ' || source.name FROM bag )",
      std::string(kBagJoins), R"(
             WHERE bag.barcode = entry.entity_key::uuid), 'bag ' || entry.entity_key)
          WHEN 'batch' THEN coalesce()",
      std::string(kBatchName),
      R"( entry.entity_key::uuid), 'batch ' || entry.entity_key)
          ELSE replace(entry.entity_kind, '_', ' ') || ' ' ||
               coalesce(entry.change ->> 'item_code', entry.change ->> 'number',
                        entry.change ->> 'name', entry.entity_key)
        END AS subject,
        CASE WHEN entry.change ? 'shipment'
               THEN 'shipment ' || (entry.change ->> 'shipment')
             WHEN entry.change ? 'batch_id' THEN coalesce()",
      std::string(kBatchName), R"( (entry.change ->> 'batch_id')::uuid), '')
             ELSE coalesce(entry.change ->> 'target', '') END AS target,
        grams.grams,
        trim_scale(grams.grams / 1000.0)::text AS kg,
        CASE WHEN entry.entity_kind = 'bag' THEN coalesce(
          (SELECT coalesce(item.kind || ':' || bag.item_id, 'batch:' || bag.batch_id)
           FROM bag LEFT JOIN item ON item.item_id = bag.item_id
           WHERE bag.barcode = entry.entity_key::uuid), '') ELSE '' END AS source
      FROM (SELECT coalesce(entry.change ->> 'grams', entry.change ->> 'net_grams',
                            entry.change ->> 'quantity_grams', '0')::bigint AS grams)
        AS grams) AS named
  )");
}

// --- the list

// Where to look, so that each way has its index: among all; at a thing, with
// what was done to its bags or with them for it; at a correlation id.
struct Place {
  std::string_view from;
  std::string_view where;
};
constexpr Place kAnywhere{" audit.entry AS entry ", R"(
  $3::text IS NOT NULL AND $4::text = '' AND $5::uuid IS NULL AND $7::text = ''
  AND ($3 = '' OR entry.entity_kind = $3)
)"};
constexpr Place kAtThing{R"(
  (SELECT found.* FROM (
     SELECT at.entry_id FROM audit.entry AS at
     WHERE at.entity_kind = $3::text AND at.entity_key = $4::text
     UNION
     SELECT at.entry_id
     FROM bag JOIN audit.entry AS at
       ON at.entity_kind = 'bag' AND at.entity_key = bag.barcode::text
     WHERE $3 IN ('tealine', 'herbline', 'blendbalance') AND bag.item_id = $5::uuid
     UNION
     SELECT at.entry_id
     FROM bag JOIN audit.entry AS at
       ON at.entity_kind = 'bag' AND at.entity_key = bag.barcode::text
     WHERE $3 = 'batch' AND bag.batch_id = $5
     UNION
     SELECT at.entry_id FROM audit.entry AS at
     WHERE $3 = 'batch' AND at.change ? 'batch_id' AND at.change ->> 'batch_id' = $4
     UNION
     SELECT at.entry_id FROM audit.entry AS at
     WHERE $3 = 'shipment' AND at.change ? 'shipment' AND at.change ->> 'shipment' = $4
     UNION
     SELECT at.entry_id
     FROM allocation JOIN audit.entry AS at
       ON at.entity_kind = 'bag' AND at.entity_key = allocation.barcode::text
     WHERE $3 = 'allocation' AND allocation.allocation_id = $5
       AND $4 IN (at.change ->> 'allocation_id', at.change ->> 'moved_to_allocation_id')
     UNION
     SELECT at.entry_id
     FROM allocation
     JOIN parcel ON parcel.allocation_id = allocation.allocation_id
     JOIN audit.entry AS at
       ON at.entity_kind = 'parcel' AND at.entity_key = parcel.parcel_id::text
     WHERE ($3 = 'bag' AND allocation.barcode = $5)
        OR ($3 = 'allocation' AND allocation.allocation_id = $5)
   ) AS at JOIN audit.entry AS found USING (entry_id)
   OFFSET 0) AS entry  -- found first, not met on a way through all in order
)",
                         "($7::text = '' OR entry.correlation_id = $7)"};
constexpr Place kAtCorrelation{" audit.entry AS entry ", R"(
  entry.correlation_id = $7::text
  AND $4::text = '' AND $5::uuid IS NULL AND ($3::text = '' OR entry.entity_kind = $3)
)"};

// How many entries one call looks through for a text, which no index finds.
constexpr int64_t kSearchedEntries = 10'000;

constexpr std::string_view kColumns = R"(
  WITH looked_at AS MATERIALIZED (
    SELECT entry.*, named.source, named.grams,
)";
constexpr std::string_view kFilter = R"(
  AND entry.entity_kind || ' ' || entry.action = ANY ($1::text[])
  AND ($6::text = '' OR entry.caller = $6)
  AND ($8::timestamptz IS NULL OR entry.recorded_at >= $8)
  AND ($9::timestamptz IS NULL OR entry.recorded_at < $9)
  AND ($11::timestamptz IS NULL OR (entry.recorded_at, entry.entry_id)
)";
constexpr std::string_view kLookedAt = R"(
    LIMIT $14::bigint)
  SELECT entry_id, entity_kind, entity_key, action, source, grams, caller, username, role,
    recorded_at, occurred_at, correlation_id, change::text, text, found
  FROM (
    (SELECT *, true AS found FROM looked_at
     WHERE $10::text = '' OR strpos(lower(text), lower($10)) > 0
        OR strpos(lower(username), lower($10)) > 0
)";
// Behind what was found: where the search stopped, if more follows.
constexpr std::string_view kStopped = R"(
     LIMIT $13::bigint)
    UNION ALL
    (SELECT *, false FROM looked_at
     WHERE $10 <> ''
)";
constexpr std::string_view kLast = R"(
     OFFSET $14 - 1)) AS activity
)";

struct Statements {
  explicit Statements(const Place& place)
      : newest_first(Make(place, "<", R"(
  ORDER BY recorded_at DESC, entry_id DESC
)",
                          "ORDER BY found DESC, recorded_at DESC, "
                          "entry_id DESC")),
        oldest_first(Make(place, ">", R"(
  ORDER BY recorded_at, entry_id
)",
                          "ORDER BY found DESC, recorded_at, entry_id")) {}

  static db::Statement Make(const Place& place, std::string_view behind,
                            std::string_view order,
                            std::string_view order_of_all) {
    return db::Compose({kColumns, TextSql(), " AS text FROM ", place.from,
                        NamedSql(), "WHERE", place.where, kFilter, behind,
                        "($11, $12::bigint))", order, kLookedAt, order,
                        kStopped, order, kLast, order_of_all});
  }

  db::Statement newest_first;
  db::Statement oldest_first;
};
const Statements kListAnywhere(kAnywhere);
const Statements kListAtThing(kAtThing);
const Statements kListAtCorrelation(kAtCorrelation);

const Statements& StatementsFor(const v1::ListActivitiesRequest& request) {
  if (!request.about().key().empty()) return kListAtThing;
  if (!request.correlation_id().empty()) return kListAtCorrelation;
  return kListAnywhere;
}

bool Asked(const v1::ListActivitiesRequest& request, v1::ActivityKind kind) {
  return request.kinds().empty() ||
         std::find(request.kinds().begin(), request.kinds().end(), kind) !=
             request.kinds().end();
}

// The key as the trail has it: ids in lower case, a barcode without its prefix.
std::string KeyOf(const common::v1::Thing& thing) {
  const std::string_view text =
      thing.kind() == "bag" && thing.key().find(':') != std::string::npos
          ? std::string_view(thing.key()).substr(thing.key().find(':') + 1)
          : std::string_view(thing.key());
  const std::optional<Uuid> id = Uuid::Parse(text);
  return id.has_value() ? id->ToString() : std::string(text);
}

struct PageStart {
  std::optional<absl::Time> recorded_at;
  std::optional<int64_t> entry_id;
};
absl::StatusOr<PageStart> StartOf(const v1::ListActivitiesRequest& request) {
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 2));
  PageStart start;
  if (keys.empty()) return start;
  ASSIGN_OR_RETURN(start.recorded_at, ParseTimeText(keys[0]));
  if (!absl::SimpleAtoi(keys[1], &start.entry_id.emplace()))
    return handlers::PageTokenInvalid();
  return start;
}

absl::Status AskList(const v1::ListActivitiesRequest& request,
                     db::Exchange& exchange) {
  if (request.about().kind().empty() && !request.about().key().empty())
    return errors::InvalidField("about.kind", "is required with a key");
  ASSIGN_OR_RETURN(const PageStart start, StartOf(request));
  std::vector<std::string> trail;
  std::vector<std::string> sentences;
  for (const ActivityWord& word : kWords) {
    if (!Asked(request, word.kind)) continue;
    trail.push_back(TrailText(word));
    sentences.emplace_back(word.sentence);
  }
  const Statements& statements = StatementsFor(request);
  const std::string key = KeyOf(request.about());
  exchange.Add(
      request.order_by() == v1::LIST_ACTIVITIES_ORDER_RECORDED
          ? statements.oldest_first
          : statements.newest_first,
      db::Params()
          .Array(trail)
          .Array(sentences)
          .Add(request.about().kind())
          .Add(key)
          .Add(Uuid::Parse(key))
          .Add(request.actor_subject())
          .Add(request.correlation_id())
          .Add(TimeIf(request.has_recorded_from(), request.recorded_from()))
          .Add(TimeIf(request.has_recorded_before(), request.recorded_before()))
          .Add(request.search())
          .Add(start.recorded_at)
          .Add(start.entry_id)
          .Add(RowLimit(request))
          .Add(request.search().empty() ? RowLimit(request)
                                        : kSearchedEntries));
  return absl::OkStatus();
}

// A row of the trail as it is listed.
struct Told {
  int64_t entry_id = 0;
  common::v1::Thing thing;
  std::string action;
  std::string source;  // `batch:…`, of a bag
  int64_t grams = 0;
  handlers::Actor actor;
  absl::Time recorded_at;
  absl::Time occurred_at;
  std::string correlation_id;
  std::string change;
  std::string text;
  bool found = true;  // or where the search stopped
};

Told ReadTold(const db::Row& row) {
  Told told;
  row.Into(told.entry_id, *told.thing.mutable_kind(), *told.thing.mutable_key(),
           told.action, told.source, told.grams, told.actor.subject,
           told.actor.username, told.actor.role, told.recorded_at,
           told.occurred_at, told.correlation_id, told.change, told.text,
           told.found);
  return told;
}

// Ordered as the list is: by time, then by number.
Uuid IdOf(const Told& told) {
  Uuid id;
  const auto micros =
      static_cast<uint64_t>(absl::ToUnixMicros(told.recorded_at));
  const uint64_t millis = micros / 1000;
  const uint64_t rest = micros % 1000;
  const auto number = static_cast<uint64_t>(told.entry_id);
  for (int i = 0; i < 6; ++i)
    id.bytes[static_cast<size_t>(i)] =
        static_cast<uint8_t>(millis >> (40 - 8 * i));
  id.bytes[6] = static_cast<uint8_t>(0x70 | rest >> 8);
  id.bytes[7] = static_cast<uint8_t>(rest);
  for (int i = 0; i < 8; ++i)
    id.bytes[static_cast<size_t>(8 + i)] =
        static_cast<uint8_t>(number >> (56 - 8 * i));
  id.bytes[8] = static_cast<uint8_t>(0x80 | (id.bytes[8] & 0x3f));
  return id;
}

v1::ActivityKind KindOf(const Told& told) {
  for (const ActivityWord& word : kWords) {
    if (word.entity_kind == told.thing.kind() && word.action == told.action)
      return word.kind;
  }
  return v1::ACTIVITY_KIND_UNSPECIFIED;
}

void Show(Told told, v1::Activity& activity) {
  activity.set_activity_id(IdOf(told).ToString());
  activity.set_kind(KindOf(told));
  activity.set_text(std::move(told.text));
  *activity.add_things() = std::move(told.thing);
  if (const size_t colon = told.source.find(':'); colon != std::string::npos) {
    common::v1::Thing& source = *activity.add_things();
    source.set_kind(told.source.substr(0, colon));
    source.set_key(told.source.substr(colon + 1));
  }
  for (common::v1::Thing& named : sync::ThingsIn(told.change))
    *activity.add_things() = std::move(named);
  activity.set_grams(told.grams);
  // What the service does by itself it does in the name of its peer.
  if (told.actor.role != options::v1::ROLE_UNSPECIFIED)
    told.actor.To(activity.mutable_actor());
  *activity.mutable_recorded_at() = ToProto(told.recorded_at);
  *activity.mutable_occurred_at() = ToProto(told.occurred_at);
  activity.set_correlation_id(std::move(told.correlation_id));
}

absl::StatusOr<v1::ListActivitiesResponse> AnswerList(
    const v1::ListActivitiesRequest& request, const db::Results& results) {
  std::vector<Told> page;
  for (const db::Row row : results[0]) page.push_back(ReadTold(row));
  std::optional<Told> last;
  if (!page.empty() && !page.back().found) {
    last = std::move(page.back());
    page.pop_back();
  }
  if (CutRows(request, page)) last = page.back();
  v1::ListActivitiesResponse response;
  if (last.has_value()) {
    response.set_next_page_token(handlers::NextPageToken(
        request, {TimeText(last->recorded_at), absl::StrCat(last->entry_id)}));
  }
  for (Told& told : page) Show(std::move(told), *response.add_activities());
  return response;
}

}  // namespace

std::span<const ActivityWord> ActivityWords() { return kWords; }

void AddActivities(handlers::Queries& queries) {
  queries.Add("mtp.processing.v1.DashboardService/ListActivities", AskList,
              AnswerList);
}

}  // namespace mtp::processing

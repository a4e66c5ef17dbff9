#include "processing_service/bag_queries.h"

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/handlers/item_error.h"
#include "common/handlers/paging.h"
#include "processing_service/errors.h"
#include "processing_service/listing.h"

namespace mtp::processing {
namespace {

common::v1::Actor ActorOf(std::string subject, std::string username,
                          options::v1::Role role) {
  common::v1::Actor actor;
  actor.set_subject(std::move(subject));
  actor.set_username(std::move(username));
  actor.set_role(role);
  return actor;
}

// A filter that is not set does not filter.
std::optional<std::string_view> TextIf(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

// --- GetBag

absl::Status AskGetBag(const v1::GetBagRequest& request,
                       db::Exchange& exchange) {
  const Uuid barcode = ParseBarcode(request.barcode()).uuid;
  exchange.Add(Bag::kRead, db::Params().Array(std::vector{barcode}));
  for (const db::Statement& statement :
       {BagCorrection::kOfBag, WriteOff::kOfBag, BagReturn::kOfBag}) {
    exchange.Add(statement, db::Params().Add(barcode));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::GetBagResponse> AnswerGetBag(
    const v1::GetBagRequest& request, const db::Results& results) {
  if (results[0].empty()) return errors::BagNotFound(request.barcode());
  const Bag bag = Read<Bag>(results[0][0]);
  if (!ParseBarcode(request.barcode()).Fits(bag.kind)) {
    return errors::BagNotFound(request.barcode());
  }
  v1::GetBagResponse response;
  *response.mutable_bag() = bag.Shown();
  for (const db::Row row : results[1])
    *response.add_corrections() = Read<BagCorrection>(row).Shown();
  for (const db::Row row : results[2])
    *response.add_write_offs() = Read<WriteOff>(row).Shown();
  for (const db::Row row : results[3])
    *response.add_returns() = Read<BagReturn>(row).Shown();
  return response;
}

// --- ListBags

constexpr std::string_view kBagFilter = R"(
  WHERE ($1::text IS NULL OR bag.kind = $1)
    AND ($2::uuid IS NULL OR bag.item_id = $2)
    AND ($3::text IS NULL OR item.item_code = $3)
    AND ($4::uuid IS NULL OR bag.batch_id = $4)
    AND ($5::text IS NULL OR location.name = $5)
    AND (cardinality($6::text[]) = 0 OR bag.status = ANY ($6))
    AND ($7::boolean IS NULL OR bag.held = $7)
    AND bag.remaining_grams >= $8::bigint
    AND ($9::timestamptz IS NULL OR bag.received_at >= $9)
    AND ($10::timestamptz IS NULL OR bag.received_at < $10)
    AND ($11::text IS NULL OR strpos(lower(concat_ws(E'\n',
           bag.barcode::text, bag.reference, source.code, source.name)), lower($11)) > 0)
)";

const db::Statement kBagsNewestFirst =
    db::Compose({kBagColumns, "FROM bag", kBagJoins, kBagFilter, R"(
    AND (bag.received_at, bag.barcode)
      < (coalesce($12::text::timestamptz, 'infinity'),
         coalesce($13::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
  ORDER BY bag.received_at DESC, bag.barcode DESC
  LIMIT $14::bigint
)"});

const db::Statement kBagsOldestFirst =
    db::Compose({kBagColumns, "FROM bag", kBagJoins, kBagFilter, R"(
    AND (bag.received_at, bag.barcode)
      > (coalesce($12::text::timestamptz, '-infinity'),
         coalesce($13::uuid, '00000000-0000-0000-0000-000000000000'))
  ORDER BY bag.received_at, bag.barcode
  LIMIT $14::bigint
)"});

const db::Statement kBagsFullestFirst =
    db::Compose({kBagColumns, "FROM bag", kBagJoins, kBagFilter, R"(
    AND (bag.remaining_grams, bag.barcode)
      < (coalesce($12::text::bigint, 9223372036854775807),
         coalesce($13::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
  ORDER BY bag.remaining_grams DESC, bag.barcode DESC
  LIMIT $14::bigint
)"});

db::Params BagFilter(const v1::ListBagsRequest& request) {
  db::Params params;
  params
      .Add(request.kind() == v1::MATERIAL_KIND_UNSPECIFIED
               ? std::nullopt
               : std::optional<MaterialKind>(request.kind()))
      .Add(Uuid::Parse(request.item_id()))
      .Add(TextIf(request.item_code()))
      .Add(Uuid::Parse(request.batch_id()))
      .Add(TextIf(request.location()))
      .Array(request.statuses(),
             [](int status) { return static_cast<v1::BagStatus>(status); })
      .Add(request.has_on_hold() ? std::optional(request.on_hold())
                                 : std::nullopt)
      .Add(request.min_remaining_grams())
      .Add(TimeIf(request.has_received_from(), request.received_from()))
      .Add(TimeIf(request.has_received_before(), request.received_before()))
      .Add(TextIf(request.search()));
  return params;
}

absl::Status AskListBags(const v1::ListBagsRequest& request,
                         db::Exchange& exchange) {
  const bool by_weight =
      request.order_by() == v1::LIST_BAGS_ORDER_REMAINING_DESCENDING;
  ASSIGN_OR_RETURN(
      const Position after,
      PagePosition(request, by_weight ? OrderedBy::kNumber : OrderedBy::kTime));
  db::Params params = BagFilter(request);
  params.Add(after.value).Add(after.id).Add(RowLimit(request));
  if (by_weight) {
    exchange.Add(kBagsFullestFirst, std::move(params));
  } else if (request.order_by() == v1::LIST_BAGS_ORDER_RECEIVED) {
    exchange.Add(kBagsOldestFirst, std::move(params));
  } else {
    exchange.Add(kBagsNewestFirst, std::move(params));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::ListBagsResponse> AnswerListBags(
    const v1::ListBagsRequest& request, const db::Results& results) {
  v1::ListBagsResponse response;
  std::vector<Bag> bags = ReadAll<Bag>(results[0]);
  const bool by_weight =
      request.order_by() == v1::LIST_BAGS_ORDER_REMAINING_DESCENDING;
  response.set_next_page_token(CutToPage(request, bags, [&](const Bag& bag) {
    return by_weight ? std::to_string(bag.remaining_grams)
                     : TimeText(bag.received_at);
  }));
  for (const Bag& bag : bags) *response.add_bags() = bag.Shown();
  return response;
}

// --- scanning

// A scan reads four times: the bags, their items, their batches, their uses;
// which bags they are is said in one of two ways, by barcode or by a shipment.
constexpr std::string_view kWanted = R"(
  SELECT DISTINCT barcode FROM unnest($1::uuid[]) AS wanted (barcode)
)";
constexpr std::string_view kShipped = R"(
  SELECT DISTINCT allocation.barcode
  FROM unnest($1::bigint[], $2::bigint[]) AS wanted (request_code, shipment_code)
  JOIN allocation ON allocation.request_code = wanted.request_code
                 AND allocation.shipment_code = wanted.shipment_code
  WHERE allocation.released_at IS NULL
)";

db::Statement ItemsOfBags(std::string_view barcodes) {
  return db::Compose({kItemColumns, kItemRemaining, kItemTables, R"(
  WHERE item.item_id IN (
    SELECT bag.item_id FROM ()",
                      barcodes, R"() AS wanted
    JOIN bag ON bag.barcode = wanted.barcode)
)"});
}
const db::Statement kItemsOfBags = ItemsOfBags(kWanted);
const db::Statement kItemsOfBagsShipped = ItemsOfBags(kShipped);

db::Statement Uses(std::string_view barcodes) {
  return db::Compose({R"(
  SELECT allocation.barcode, allocation.allocation_id, allocation.batch_id,
    allocation.request_code, allocation.shipment_code, allocation.grams,
    allocation.parcelled_grams, allocation.occurred_at,)",
                      kTargetName, ",", kTargetLeft,
                      R"(
  FROM ()",
                      barcodes, R"() AS wanted
  JOIN allocation ON allocation.barcode = wanted.barcode)",
                      kTargetJoins, R"(
  WHERE allocation.released_at IS NULL
  ORDER BY allocation.barcode, allocation.occurred_at, allocation.allocation_id
)"});
}
const db::Statement kUses = Uses(kWanted);
const db::Statement kUsesShipped = Uses(kShipped);

void ReadUse(const db::Row& row,
             absl::flat_hash_map<Uuid, v1::ScannedBag>& scans) {
  Uuid barcode, allocation_id;
  std::optional<Uuid> batch_id;
  std::optional<int64_t> request_code, shipment_code;
  int64_t grams, parcelled_grams;
  absl::Time occurred_at;
  std::string target_name;
  bool left;
  row.Into(barcode, allocation_id, batch_id, request_code, shipment_code, grams,
           parcelled_grams, occurred_at, target_name, left);
  v1::BagUse* use = scans.at(barcode).add_uses();
  use->set_allocation_id(allocation_id.ToString());
  if (batch_id.has_value()) {
    use->set_batch_id(batch_id->ToString());
  } else {
    db::ShipmentKey{request_code.value_or(0), shipment_code.value_or(0)}.To(
        use->mutable_shipment());
  }
  use->set_target_name(std::move(target_name));
  use->set_grams(grams);
  *use->mutable_occurred_at() = ToProto(occurred_at);
  use->set_dispatched(left);
  use->set_parcelled_grams(parcelled_grams);
}

void ShowItem(const Item& item, v1::ScannedBag& scan) {
  switch (item.kind) {
    case v1::MATERIAL_KIND_TEALINE:
      *scan.mutable_tealine() = item.ShownTealine();
      break;
    case v1::MATERIAL_KIND_HERBLINE:
      *scan.mutable_herbline() = item.ShownHerbline();
      break;
    default:
      *scan.mutable_blendbalance() = item.ShownBlendbalance();
  }
  scan.set_clearance(v1::CLEARANCE_CLEARED);
}

void ShowBatch(const Batch& batch, v1::ScannedBag& scan) {
  v1::ScannedBatch& shown = *scan.mutable_batch();
  shown.set_batch_id(batch.batch_id.ToString());
  shown.set_recipe_id(batch.recipe_id.ToString());
  shown.set_revision(batch.revision);
  shown.set_recipe_number(batch.recipe_number);
  shown.set_code(batch.code);
  shown.set_batch_number(batch.batch_number);
  shown.set_state(batch.state);
  shown.set_trader_state(batch.trader_state);
  scan.set_clearance(batch.Clearance());
}

// The scan of a barcode as it was read.
absl::StatusOr<const v1::ScannedBag*> FindScan(
    const absl::flat_hash_map<Uuid, v1::ScannedBag>& scans,
    std::string_view text) {
  const Barcode barcode = ParseBarcode(text);
  const auto scan = scans.find(barcode.uuid);
  if (scan == scans.end() || !barcode.Fits(scan->second.bag().kind())) {
    return errors::BagNotFound(text);
  }
  return &scan->second;
}

absl::Status AskScanBag(const v1::ScanBagRequest& request,
                        db::Exchange& exchange) {
  AddScans({ParseBarcode(request.barcode()).uuid}, exchange);
  return absl::OkStatus();
}

absl::StatusOr<v1::ScanBagResponse> AnswerScanBag(
    const v1::ScanBagRequest& request, const db::Results& results) {
  size_t next = 0;
  const auto scans = TakeScans(results, next);
  ASSIGN_OR_RETURN(const v1::ScannedBag* scan,
                   FindScan(scans, request.barcode()));
  v1::ScanBagResponse response;
  *response.mutable_scan() = *scan;
  return response;
}

absl::Status AskBatchScanBags(const v1::BatchScanBagsRequest& request,
                              db::Exchange& exchange) {
  std::vector<Uuid> barcodes;
  for (const std::string& barcode : request.barcodes()) {
    barcodes.push_back(ParseBarcode(barcode).uuid);
  }
  db::SortUnique(barcodes);
  AddScans(barcodes, exchange);
  return absl::OkStatus();
}

absl::StatusOr<v1::BatchScanBagsResponse> AnswerBatchScanBags(
    const v1::BatchScanBagsRequest& request, const db::Results& results) {
  size_t next = 0;
  const auto scans = TakeScans(results, next);
  v1::BatchScanBagsResponse response;
  for (const std::string& barcode : request.barcodes()) {
    auto* result = response.add_results();
    const auto scan = FindScan(scans, barcode);
    if (scan.ok()) {
      *result->mutable_scan() = **scan;
    } else {
      *result->mutable_error() = handlers::ItemError(
          scan.status(), errors::kDomain, /*correlation_id=*/"");
    }
  }
  return response;
}

// --- ListBagMoves

constexpr std::string_view kMoves = R"(
  SELECT bag_move.move_id, bag_move.barcode, bag.kind, bag_move.from_location_id,
    coalesce(left_place.name, ''), bag_move.to_location_id, place.name,
    bag_move.recorded_at, bag_move.occurred_at, bag_move.moved_by,
    bag_move.moved_by_username, bag_move.moved_by_role
  FROM bag_move
  JOIN bag ON bag.barcode = bag_move.barcode
  JOIN location AS place ON place.location_id = bag_move.to_location_id
  LEFT JOIN location AS left_place ON left_place.location_id = bag_move.from_location_id
  WHERE ($1::uuid IS NULL OR bag_move.barcode = $1)
    AND ($2::text IS NULL OR bag.kind = $2)
    AND ($3::text IS NULL OR place.name = $3 OR left_place.name = $3)
    AND ($4::uuid IS NULL OR bag.item_id = $4)
    AND ($5::uuid IS NULL OR bag.batch_id = $5)
    AND ($6::timestamptz IS NULL OR bag_move.occurred_at >= $6)
    AND ($7::timestamptz IS NULL OR bag_move.occurred_at < $7)
)";

const db::Statement kMovesNewestFirst = db::Compose({kMoves, R"(
    AND (bag_move.occurred_at, bag_move.move_id)
      < (coalesce($8::timestamptz, 'infinity'), $9::bigint)
  ORDER BY bag_move.occurred_at DESC, bag_move.move_id DESC
  LIMIT $10::bigint
)"});

const db::Statement kMovesOldestFirst = db::Compose({kMoves, R"(
    AND (bag_move.occurred_at, bag_move.move_id)
      > (coalesce($8::timestamptz, '-infinity'), $9::bigint)
  ORDER BY bag_move.occurred_at, bag_move.move_id
  LIMIT $10::bigint
)"});

// A page of moves begins behind a moment and, of those that happened then, a
// number.
absl::Status AskListBagMoves(const v1::ListBagMovesRequest& request,
                             db::Exchange& exchange) {
  const bool oldest_first =
      request.order_by() == v1::LIST_BAG_MOVES_ORDER_OCCURRED;
  ASSIGN_OR_RETURN(const std::vector<std::string> keys,
                   handlers::PageKeys(request, 2));
  std::optional<absl::Time> after;
  int64_t after_id = 0;
  if (!keys.empty()) {
    ASSIGN_OR_RETURN(after, ParseTimeText(keys[0]));
    if (!absl::SimpleAtoi(keys[1], &after_id))
      return handlers::PageTokenInvalid();
  }
  const Barcode barcode = ParseBarcode(request.barcode());
  db::Params params;
  params.Add(barcode.uuid.IsNil() ? std::nullopt : std::optional(barcode.uuid))
      .Add(barcode.prefix.empty() ? std::nullopt
                                  : std::optional(absl::AsciiStrToLower(
                                        std::string(barcode.prefix))))
      .Add(TextIf(request.location()))
      .Add(Uuid::Parse(request.item_id()))
      .Add(Uuid::Parse(request.batch_id()))
      .Add(TimeIf(request.has_occurred_from(), request.occurred_from()))
      .Add(TimeIf(request.has_occurred_before(), request.occurred_before()))
      .Add(after)
      .Add(after_id)
      .Add(RowLimit(request));
  exchange.Add(oldest_first ? kMovesOldestFirst : kMovesNewestFirst,
               std::move(params));
  return absl::OkStatus();
}

absl::StatusOr<v1::ListBagMovesResponse> AnswerListBagMoves(
    const v1::ListBagMovesRequest& request, const db::Results& results) {
  v1::ListBagMovesResponse response;
  int64_t move_id = 0;
  absl::Time occurred_at;
  for (const db::Row row : results[0]) {
    if (response.moves_size() == handlers::PageSize(request.page_size())) {
      response.set_next_page_token(handlers::NextPageToken(
          request, {TimeText(occurred_at), std::to_string(move_id)}));
      break;
    }
    Uuid barcode, to;
    std::optional<Uuid> from;
    MaterialKind kind;
    std::string from_name, to_name, subject, username;
    absl::Time recorded_at;
    options::v1::Role role;
    row.Into(move_id, barcode, kind, from, from_name, to, to_name, recorded_at,
             occurred_at, subject, username, role);
    v1::BagMove* move = response.add_moves();
    move->set_move_id(std::to_string(move_id));
    move->set_barcode(barcode.ToString());
    move->set_kind(kind);
    if (from.has_value()) move->set_from_location_id(from->ToString());
    move->set_from_location(std::move(from_name));
    move->set_to_location_id(to.ToString());
    move->set_to_location(std::move(to_name));
    *move->mutable_recorded_at() = ToProto(recorded_at);
    *move->mutable_occurred_at() = ToProto(occurred_at);
    *move->mutable_actor() =
        ActorOf(std::move(subject), std::move(username), role);
  }
  return response;
}

}  // namespace

void AddScans(const std::vector<Uuid>& barcodes, db::Exchange& exchange) {
  for (const db::Statement& statement :
       {Bag::kRead, kItemsOfBags, Batch::kLoadSources, kUses}) {
    exchange.Add(statement, db::Params().Array(barcodes));
  }
}

void AddScansShipped(const db::ShipmentKey& key, db::Exchange& exchange) {
  for (const db::Statement& statement : {kLoadBagsShipped, kItemsOfBagsShipped,
                                         kLoadBatchesShipped, kUsesShipped}) {
    exchange.Add(statement, db::BindKeys(std::vector{key}));
  }
}

absl::flat_hash_map<Uuid, v1::ScannedBag> TakeScans(const db::Results& results,
                                                    size_t& next) {
  absl::flat_hash_map<Uuid, Item> items;
  for (const db::Row row : results[next + 1]) {
    Item item = Read<Item>(row);
    items.emplace(item.item_id, std::move(item));
  }
  absl::flat_hash_map<Uuid, Batch> batches;
  for (const db::Row row : results[next + 2]) {
    Batch batch = Read<Batch>(row);
    batches.emplace(batch.batch_id, std::move(batch));
  }
  absl::flat_hash_map<Uuid, v1::ScannedBag> scans;
  for (const db::Row row : results[next]) {
    const Bag bag = Read<Bag>(row);
    v1::ScannedBag& scan = scans[bag.barcode];
    *scan.mutable_bag() = bag.Shown();
    scan.set_hold_reason(bag.held_reason);
    if (bag.item_id.has_value()) {
      ShowItem(items.at(*bag.item_id), scan);
    } else {
      ShowBatch(batches.at(*bag.batch_id), scan);
    }
  }
  for (const db::Row row : results[next + 3]) ReadUse(row, scans);
  next += kScanStatements;
  return scans;
}

void AddBagQueries(Queries& queries) {
  queries.Add("mtp.processing.v1.BagService/GetBag", AskGetBag, AnswerGetBag);
  queries.Add("mtp.processing.v1.BagService/ListBags", AskListBags,
              AnswerListBags);
  queries.Add("mtp.processing.v1.BagService/ScanBag", AskScanBag,
              AnswerScanBag);
  queries.Add("mtp.processing.v1.BagService/BatchScanBags", AskBatchScanBags,
              AnswerBatchScanBags);
  queries.Add("mtp.processing.v1.BagService/ListBagMoves", AskListBagMoves,
              AnswerListBagMoves);
}

}  // namespace mtp::processing

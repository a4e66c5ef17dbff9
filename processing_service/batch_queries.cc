#include "processing_service/batch_queries.h"

#include "common/base/protos.h"
#include "common/base/status.h"
#include "processing_service/errors.h"
#include "processing_service/listing.h"

namespace mtp::processing {
namespace {

// --- one batch, whole

const db::Statement kGetBatch =
    db::Compose({kBatchColumns, kOfItsBags, "FROM batch", kBatchTables, R"(
  WHERE batch.batch_id = $1::uuid
)"});

const db::Statement kGetIngredients = db::Compose({R"(
  SELECT allocation.allocation_id, allocation.barcode, allocation.source_kind,
    bag.item_id, bag.batch_id, source.code, source.name, allocation.grams,
    allocation.occurred_at, allocation.allocated_by, allocation.allocated_by_username,
    allocation.allocated_by_role
  FROM allocation
  JOIN bag ON bag.barcode = allocation.barcode
)",
                                                   kBagJoins, R"(
  WHERE allocation.batch_id = $1::uuid AND allocation.released_at IS NULL
  ORDER BY allocation.allocated_at, allocation.allocation_id
)"});

const db::Statement kGetBags =
    db::Compose({kBagColumns, "FROM bag", kBagJoins, R"(
  WHERE bag.batch_id = $1::uuid
  ORDER BY bag.bag_number
)"});

const db::Statement kGetMeasurements{R"(
  SELECT batch_id, measurement_id, humidity_basis_points, density_grams_per_cubic_metre,
    remarks, measured_by, measured_by_username, measured_by_role, occurred_at,
    recorded_at, correlation_id
  FROM measurement
  WHERE batch_id = $1::uuid
  ORDER BY recorded_at DESC, measurement_id DESC
)"};

// No batch comes into the same state twice, and never from a later one here.
const db::Statement kGetDecisions{R"(
  SELECT batch_id, decision_id, coalesce(from_state, ''), to_state, remarks, decided_by,
    decided_by_username, decided_by_role, occurred_at, recorded_at, correlation_id
  FROM trader_decision
  WHERE batch_id = $1::uuid
  ORDER BY array_position(ARRAY['TRADER_PENDING', 'TRADER_REQUESTED', 'TRADER_ELEVATED',
                                'TRADER_ALLOWED', 'TRADER_BLOCKED'], to_state)
)"};

absl::Status AskGet(const v1::GetBatchRequest& request,
                    db::Exchange& exchange) {
  const Uuid batch_id = *Uuid::Parse(request.batch_id());
  for (const db::Statement* statement :
       {&kGetBatch, &kGetIngredients, &kGetBags, &kGetMeasurements,
        &kGetDecisions}) {
    exchange.Add(*statement, db::Params().Add(batch_id));
  }
  return absl::OkStatus();
}

v1::Ingredient ReadIngredient(const db::Row& row) {
  Uuid allocation_id;
  Uuid barcode;
  MaterialKind kind;
  std::optional<Uuid> item_id;
  std::optional<Uuid> batch_id;
  std::string source_code;
  std::string source_name;
  int64_t grams;
  absl::Time occurred_at;
  handlers::Actor actor;
  row.Into(allocation_id, barcode, kind, item_id, batch_id, source_code,
           source_name, grams, occurred_at, actor.subject, actor.username,
           actor.role);
  v1::Ingredient ingredient;
  ingredient.set_allocation_id(allocation_id.ToString());
  ingredient.set_barcode(barcode.ToString());
  ingredient.set_kind(kind);
  if (item_id.has_value()) ingredient.set_item_id(item_id->ToString());
  if (batch_id.has_value()) ingredient.set_batch_id(batch_id->ToString());
  ingredient.set_source_code(source_code);
  ingredient.set_source_name(source_name);
  ingredient.set_grams(grams);
  *ingredient.mutable_occurred_at() = ToProto(occurred_at);
  actor.To(ingredient.mutable_actor());
  return ingredient;
}

// A row of a log, whose columns are read as they are written.
template <typename T>
T ReadLogged(const db::Row& row) {
  T read;
  std::apply([&](auto... member) { row.Into(read.*member...); }, T::kInserted);
  return read;
}

absl::StatusOr<v1::GetBatchResponse> AnswerGet(
    const v1::GetBatchRequest& request, const db::Results& results) {
  if (results[0].empty()) return errors::BatchNotFound(request.batch_id());
  v1::GetBatchResponse response;
  *response.mutable_batch() = Read<Batch>(results[0][0]).Shown();
  for (const db::Row row : results[1]) {
    *response.add_ingredients() = ReadIngredient(row);
  }
  for (const db::Row row : results[2])
    *response.add_bags() = Read<Bag>(row).Shown();
  for (const db::Row row : results[3]) {
    *response.add_measurements() = ReadLogged<Measurement>(row).Shown();
  }
  for (const db::Row row : results[4]) {
    *response.add_decisions() = ReadLogged<TraderDecision>(row).Shown();
  }
  return response;
}

// --- the lists

// Empty or NULL does not narrow.
constexpr std::string_view kListed = R"(
  WHERE ($4::text = '' OR strpos(lower(concat_ws(E'\n', recipe.number,
           recipe_revision.blend_code, recipe_revision.flavor_code)), lower($4)) > 0)
    AND ($5::text = '' OR batch.kind = $5)
    AND ($6::uuid IS NULL OR batch.recipe_id = $6)
    AND ($7::text = '' OR recipe.number = $7)
    AND ($8::text = '' OR $8 IN (recipe_revision.blend_code, recipe_revision.flavor_code))
    AND ($9::text = '' OR batch.state = $9)
    AND (cardinality($10::text[]) = 0 OR coalesce(batch.trader_state, '') = ANY($10))
    AND ($11::timestamptz IS NULL OR batch.opened_at >= $11)
    AND ($12::timestamptz IS NULL OR batch.opened_at < $12)
)";
const db::Statement kListNewestFirst = db::Compose(
    {kBatchColumns, kOfItsBags, "FROM batch", kBatchTables, kListed, R"(
    AND ($2::text IS NULL
         OR (batch.opened_at, batch.batch_id) < ($2::text::timestamptz, $3::uuid))
  ORDER BY batch.opened_at DESC, batch.batch_id DESC
  LIMIT $1::bigint
)"});
const db::Statement kListOldestFirst = db::Compose(
    {kBatchColumns, kOfItsBags, "FROM batch", kBatchTables, kListed, R"(
    AND ($2::text IS NULL
         OR (batch.opened_at, batch.batch_id) > ($2::text::timestamptz, $3::uuid))
  ORDER BY batch.opened_at, batch.batch_id
  LIMIT $1::bigint
)"});
// A trader's queue.
const db::Statement kListLongestWaitingFirst = db::Compose(
    {kBatchColumns, kOfItsBags, "FROM batch", kBatchTables, kListed, R"(
    AND batch.trader_state IS NOT NULL
    AND ($2::text IS NULL
         OR (batch.trader_changed_at, batch.batch_id) > ($2::text::timestamptz, $3::uuid))
  ORDER BY batch.trader_changed_at, batch.batch_id
  LIMIT $1::bigint
)"});

const db::Statement& StatementOf(v1::ListBatchesOrder order) {
  switch (order) {
    case v1::LIST_BATCHES_ORDER_OPENED:
      return kListOldestFirst;
    case v1::LIST_BATCHES_ORDER_TRADER_CHANGED:
      return kListLongestWaitingFirst;
    default:
      return kListNewestFirst;
  }
}

absl::Status AskList(const v1::ListBatchesRequest& request,
                     db::Exchange& exchange) {
  ASSIGN_OR_RETURN(const Position position,
                   PagePosition(request, OrderedBy::kTime));
  exchange.Add(
      StatementOf(request.order_by()),
      db::Params()
          .Add(RowLimit(request))
          .Add(position.value)
          .Add(position.id)
          .Add(request.search())
          .Add(request.kind())
          .Add(Uuid::Parse(request.recipe_id()))
          .Add(request.recipe_number())
          .Add(request.code())
          .Add(request.state())
          .Array(request.trader_states(),
                 [](int state) { return static_cast<v1::TraderState>(state); })
          .Add(TimeIf(request.has_opened_from(), request.opened_from()))
          .Add(TimeIf(request.has_opened_before(), request.opened_before())));
  return absl::OkStatus();
}

absl::StatusOr<v1::ListBatchesResponse> AnswerList(
    const v1::ListBatchesRequest& request, const db::Results& results) {
  std::vector<Batch> batches = ReadAll<Batch>(results[0]);
  v1::ListBatchesResponse response;
  response.set_next_page_token(
      CutToPage(request, batches, [&](const Batch& batch) {
        return TimeText(request.order_by() ==
                                v1::LIST_BATCHES_ORDER_TRADER_CHANGED
                            ? *batch.trader_changed_at
                            : batch.opened_at);
      }));
  for (const Batch& batch : batches) *response.add_batches() = batch.Shown();
  return response;
}

}  // namespace

void AddBatchQueries(Queries& queries) {
  queries.Add("mtp.processing.v1.BatchService/GetBatch", AskGet, AnswerGet);
  queries.Add("mtp.processing.v1.BatchService/ListBatches", AskList,
              AnswerList);
}

}  // namespace mtp::processing

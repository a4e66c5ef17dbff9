#include "processing_service/materials.h"

#include <algorithm>

#include "common/base/status.h"
#include "processing_service/editing.h"
#include "processing_service/errors.h"
#include "processing_service/listing.h"

namespace mtp::processing {
namespace {

// --- made

// An item of this code and kind, as the other fields are to be filled in.
template <typename Request>
Item NewItem(const Request& request, MaterialKind kind,
             const std::string& item_code, const Context& context) {
  return {.item_id = context.NewId(),
          .kind = kind,
          .item_code = item_code,
          .created_at = context.now(),
          .occurred_at = context.OccurredAt(request),
          .created_by = context.caller().subject,
          .created_by_username = context.caller().username,
          .created_by_role = context.caller().role,
          .changed_at = context.now()};
}

// A code may come again as another lot. The lots of one code are told apart by
// the moment they were made, so that the second of one transaction is made a
// microsecond, the least that the store tells apart, after the first.
const Item* Make(Item item, Context& context, Rows& rows) {
  for (const Item* other : rows.items.All()) {
    if (other->item_code == item.item_code &&
        other->created_at >= item.created_at) {
      item.created_at = other->created_at + absl::Microseconds(1);
    }
  }
  const Item& made = rows.items.Insert(std::move(item));
  context.AuditAt(made.occurred_at, db::EnumText(made.kind),
                  made.item_id.ToString(), "created",
                  {{"item_code", made.item_code}, {"name", made.Name()}});
  return &made;
}

// Nothing is looked at to make an item.
template <typename Request>
void TouchNothing(const Request&, Rows&) {}

absl::StatusOr<v1::CreateTealineResponse> DecideCreateTealine(
    const v1::CreateTealineRequest& request, Context& context, Rows& rows) {
  const v1::NewTealine& asked = request.tealine();
  Item item =
      NewItem(request, v1::MATERIAL_KIND_TEALINE, asked.item_code(), context);
  item.invoice = asked.invoice();
  item.grade = asked.grade();
  item.garden = asked.garden();
  item.broker = asked.broker();
  item.purchase_order = asked.purchase_order();
  item.bag_limit = asked.bag_count();
  item.bag_grams = asked.bag_grams();
  const Item* made = Make(std::move(item), context, rows);
  v1::CreateTealineResponse response;
  *response.mutable_tealine() = made->ShownTealine();
  return response;
}

absl::StatusOr<v1::CreateHerblineResponse> DecideCreateHerbline(
    const v1::CreateHerblineRequest& request, Context& context, Rows& rows) {
  const v1::NewHerbline& asked = request.herbline();
  Item item =
      NewItem(request, v1::MATERIAL_KIND_HERBLINE, asked.item_code(), context);
  item.name = asked.name();
  item.purchase_order = asked.purchase_order();
  item.expected_grams = asked.expected_grams();
  const Item* made = Make(std::move(item), context, rows);
  v1::CreateHerblineResponse response;
  *response.mutable_herbline() = made->ShownHerbline();
  return response;
}

absl::StatusOr<v1::CreateBlendbalanceResponse> DecideCreateBlendbalance(
    const v1::CreateBlendbalanceRequest& request, Context& context,
    Rows& rows) {
  const v1::NewBlendbalance& asked = request.blendbalance();
  Item item = NewItem(request, v1::MATERIAL_KIND_BLENDBALANCE,
                      asked.item_code(), context);
  item.blend_code = asked.blend_code();
  item.transfer_id = asked.transfer_id();
  if (asked.has_expected_grams()) item.gram_limit = asked.expected_grams();
  const Item* made = Make(std::move(item), context, rows);
  v1::CreateBlendbalanceResponse response;
  *response.mutable_blendbalance() = made->ShownBlendbalance();
  return response;
}

// --- changed

template <typename Request>
void TouchUpdate(const Request& request, Rows& rows) {
  rows.items.Want(*Uuid::Parse(request.item_id()));
  rows.item_stocks.Want(*Uuid::Parse(request.item_id()));
}

// With what remains in all its bags.
Item Whole(const Item& item, const Rows& rows) {
  Item whole = item;
  if (const ItemStock* stock = rows.item_stocks.Find(item.item_id);
      stock != nullptr) {
    whole.remaining_grams += stock->remaining_grams;
  }
  return whole;
}

template <typename Request>
absl::StatusOr<const Item*> FindToChange(const Request& request,
                                         MaterialKind kind, const Rows& rows) {
  const Item* item = rows.items.Find(*Uuid::Parse(request.item_id()));
  if (item == nullptr || item->kind != kind) {
    return errors::ItemNotFound(request.item_id());
  }
  RETURN_IF_ERROR(CheckEtag(request.etag(), item->Etag()));
  return item;
}

// A field that a new item must have may not be emptied by a change.
void Require(const FieldNames& fields, const char* field, bool given,
             std::string_view of,
             std::vector<errors::FieldViolation>& violations) {
  if (fields.contains(field) && !given) {
    violations.push_back({std::string(of) + "." + field, "is required"});
  }
}

void Changed(Item& item, Context& context) {
  ++item.version;
  item.changed_at = context.now();
  context.Audit(db::EnumText(item.kind), item.item_id.ToString(), "changed",
                {{"item_code", item.item_code}, {"name", item.Name()}});
}

absl::StatusOr<v1::UpdateTealineResponse> DecideUpdateTealine(
    const v1::UpdateTealineRequest& request, Context& context, Rows& rows) {
  const v1::TealineChange& change = request.tealine();
  ASSIGN_OR_RETURN(const FieldNames fields,
                   FieldsToChange(request.update_mask(), change));
  std::vector<errors::FieldViolation> violations;
  Require(fields, "invoice", !change.invoice().empty(), "tealine", violations);
  Require(fields, "grade", !change.grade().empty(), "tealine", violations);
  Require(fields, "garden", !change.garden().empty(), "tealine", violations);
  Require(fields, "bag_count", change.bag_count() > 0, "tealine", violations);
  Require(fields, "bag_grams", change.bag_grams() > 0, "tealine", violations);
  if (!violations.empty()) return errors::InvalidFields(violations);
  ASSIGN_OR_RETURN(const Item* found,
                   FindToChange(request, v1::MATERIAL_KIND_TEALINE, rows));
  if (fields.contains("bag_count") &&
      change.bag_count() < found->received_bags) {
    Item asked = *found;
    asked.bag_limit = change.bag_count();
    return errors::InvoicedBagsReceived(asked);
  }

  Item& item = rows.items.Edit(*found);
  if (fields.contains("invoice")) item.invoice = change.invoice();
  if (fields.contains("grade")) item.grade = change.grade();
  if (fields.contains("garden")) item.garden = change.garden();
  if (fields.contains("broker")) item.broker = change.broker();
  if (fields.contains("purchase_order"))
    item.purchase_order = change.purchase_order();
  if (fields.contains("bag_count")) item.bag_limit = change.bag_count();
  if (fields.contains("bag_grams")) item.bag_grams = change.bag_grams();
  Changed(item, context);
  v1::UpdateTealineResponse response;
  *response.mutable_tealine() = Whole(item, rows).ShownTealine();
  return response;
}

absl::StatusOr<v1::UpdateHerblineResponse> DecideUpdateHerbline(
    const v1::UpdateHerblineRequest& request, Context& context, Rows& rows) {
  const v1::HerblineChange& change = request.herbline();
  ASSIGN_OR_RETURN(const FieldNames fields,
                   FieldsToChange(request.update_mask(), change));
  std::vector<errors::FieldViolation> violations;
  Require(fields, "name", !change.name().empty(), "herbline", violations);
  Require(fields, "expected_grams", change.expected_grams() > 0, "herbline",
          violations);
  if (!violations.empty()) return errors::InvalidFields(violations);
  ASSIGN_OR_RETURN(const Item* found,
                   FindToChange(request, v1::MATERIAL_KIND_HERBLINE, rows));

  Item& item = rows.items.Edit(*found);
  if (fields.contains("name")) item.name = change.name();
  if (fields.contains("purchase_order"))
    item.purchase_order = change.purchase_order();
  if (fields.contains("expected_grams"))
    item.expected_grams = change.expected_grams();
  Changed(item, context);
  v1::UpdateHerblineResponse response;
  *response.mutable_herbline() = Whole(item, rows).ShownHerbline();
  return response;
}

absl::StatusOr<v1::UpdateBlendbalanceResponse> DecideUpdateBlendbalance(
    const v1::UpdateBlendbalanceRequest& request, Context& context,
    Rows& rows) {
  const v1::BlendbalanceChange& change = request.blendbalance();
  ASSIGN_OR_RETURN(const FieldNames fields,
                   FieldsToChange(request.update_mask(), change));
  std::vector<errors::FieldViolation> violations;
  Require(fields, "blend_code", !change.blend_code().empty(), "blendbalance",
          violations);
  Require(fields, "transfer_id", !change.transfer_id().empty(), "blendbalance",
          violations);
  Require(fields, "expected_grams",
          !change.has_expected_grams() || change.expected_grams() > 0,
          "blendbalance", violations);
  if (!violations.empty()) return errors::InvalidFields(violations);
  ASSIGN_OR_RETURN(const Item* found,
                   FindToChange(request, v1::MATERIAL_KIND_BLENDBALANCE, rows));
  if (fields.contains("expected_grams") && change.has_expected_grams() &&
      change.expected_grams() < found->received_grams) {
    Item asked = *found;
    asked.gram_limit = change.expected_grams();
    return errors::ExpectedWeightExceeded(asked, found->received_grams);
  }

  Item& item = rows.items.Edit(*found);
  if (fields.contains("blend_code")) item.blend_code = change.blend_code();
  if (fields.contains("transfer_id")) item.transfer_id = change.transfer_id();
  if (fields.contains("expected_grams")) {
    item.gram_limit = change.has_expected_grams()
                          ? std::optional<int64_t>(change.expected_grams())
                          : std::nullopt;
  }
  Changed(item, context);
  v1::UpdateBlendbalanceResponse response;
  *response.mutable_blendbalance() = Whole(item, rows).ShownBlendbalance();
  return response;
}

// --- removed

template <typename Request>
void TouchDelete(const Request& request, Rows& rows) {
  const Uuid item_id = *Uuid::Parse(request.item_id());
  rows.items_to_remove.Want(item_id);
  rows.item_uses.Want(item_id);
}

// In the database, or by a call before this one.
bool InUse(const Rows& rows, const Item& item) {
  if (item.received_bags > 0) return true;
  const ItemUse* use = rows.item_uses.Find(item.item_id);
  if (use != nullptr && use->in_recipe) return true;
  const std::vector<const RecipeMixture*> mixtures = rows.mixtures.All();
  return std::any_of(mixtures.begin(), mixtures.end(),
                     [&](const RecipeMixture* mixture) {
                       return mixture->item_id == item.item_id;
                     });
}

template <MaterialKind kind, typename Request, typename Response>
absl::StatusOr<Response> DecideDelete(const Request& request, Context& context,
                                      Rows& rows) {
  ASSIGN_OR_RETURN(const Item* item, FindToChange(request, kind, rows));
  if (InUse(rows, *item)) return errors::ItemInUse(*item);
  context.Audit(db::EnumText(item->kind), item->item_id.ToString(), "deleted",
                {{"item_code", item->item_code}, {"name", item->Name()}});
  rows.items.Remove(*item);
  return Response();
}

}  // namespace

absl::StatusOr<v1::DeleteTealineResponse> DecideDeleteTealine(
    const v1::DeleteTealineRequest& request, Context& context, Rows& rows) {
  return DecideDelete<v1::MATERIAL_KIND_TEALINE, v1::DeleteTealineRequest,
                      v1::DeleteTealineResponse>(request, context, rows);
}

namespace {

// --- read

const db::Statement kGet =
    db::Compose({kItemColumns, kItemRemaining, kItemTables, R"(
  WHERE item.item_id = $1::uuid AND item.kind = $2::text
)"});

// One kind: what it is called here, and how it is shown.
struct TealineKind {
  static constexpr MaterialKind kKind = v1::MATERIAL_KIND_TEALINE;
  static void Show(const Item& item, v1::GetTealineResponse& response) {
    *response.mutable_tealine() = item.ShownTealine();
  }
  static void Show(const Item& item, v1::ListTealinesResponse& response) {
    *response.add_tealines() = item.ShownTealine();
  }
};
struct HerblineKind {
  static constexpr MaterialKind kKind = v1::MATERIAL_KIND_HERBLINE;
  static void Show(const Item& item, v1::GetHerblineResponse& response) {
    *response.mutable_herbline() = item.ShownHerbline();
  }
  static void Show(const Item& item, v1::ListHerblinesResponse& response) {
    *response.add_herblines() = item.ShownHerbline();
  }
};
struct BlendbalanceKind {
  static constexpr MaterialKind kKind = v1::MATERIAL_KIND_BLENDBALANCE;
  static void Show(const Item& item, v1::GetBlendbalanceResponse& response) {
    *response.mutable_blendbalance() = item.ShownBlendbalance();
  }
  static void Show(const Item& item, v1::ListBlendbalancesResponse& response) {
    *response.add_blendbalances() = item.ShownBlendbalance();
  }
};

template <typename Kind, typename Request>
absl::Status AskGet(const Request& request, db::Exchange& exchange) {
  exchange.Add(
      kGet, db::Params().Add(*Uuid::Parse(request.item_id())).Add(Kind::kKind));
  return absl::OkStatus();
}

template <typename Kind, typename Request, typename Response>
absl::StatusOr<Response> AnswerGet(const Request& request,
                                   const db::Results& results) {
  if (results[0].empty()) return errors::ItemNotFound(request.item_id());
  Response response;
  Kind::Show(Read<Item>(results[0][0]), response);
  return response;
}

// What the lists of the three kinds can be narrowed by; empty or NULL does not
// narrow. Search goes over all texts: those of another kind are not there.
constexpr std::string_view kListed = R"(
  WHERE item.kind = $4::text
    AND ($5::text = '' OR strpos(lower(concat_ws(E'\n', item.item_code,
           tealine.invoice, tealine.garden, tealine.grade, tealine.broker,
           tealine.purchase_order, herbline.name, herbline.purchase_order,
           blendbalance.blend_code, blendbalance.transfer_id)), lower($5)) > 0)
    AND ($6::text = '' OR item.item_code = $6)
    AND ($7::timestamptz IS NULL OR item.created_at >= $7)
    AND ($8::timestamptz IS NULL OR item.created_at < $8)
    AND ($9::text = '' OR tealine.invoice = $9)
    AND ($10::text = '' OR tealine.garden = $10)
    AND ($11::text = '' OR tealine.grade = $11)
    AND ($12::text = '' OR tealine.broker = $12)
    AND ($13::text = '' OR lower(herbline.name) = lower($13))
    AND ($14::text = '' OR herbline.purchase_order = $14)
    AND ($15::text = '' OR blendbalance.blend_code = $15)
    AND ($16::text = '' OR blendbalance.transfer_id = $16)
    AND ($17::boolean IS NULL
         OR $17 = CASE item.kind
                    WHEN 'tealine' THEN item.received_bags < item.bag_limit
                    ELSE item.received_grams < herbline.expected_grams END)
)";
const db::Statement kListNewestFirst =
    db::Compose({kItemColumns, kItemRemaining, kItemTables, kListed, R"(
    AND ($2::text IS NULL
         OR (item.created_at, item.item_id) < ($2::text::timestamptz, $3::uuid))
  ORDER BY item.created_at DESC, item.item_id DESC
  LIMIT $1::bigint
)"});
const db::Statement kListOldestFirst =
    db::Compose({kItemColumns, kItemRemaining, kItemTables, kListed, R"(
    AND ($2::text IS NULL
         OR (item.created_at, item.item_id) > ($2::text::timestamptz, $3::uuid))
  ORDER BY item.created_at, item.item_id
  LIMIT $1::bigint
)"});
const db::Statement kListByCode =
    db::Compose({kItemColumns, kItemRemaining, kItemTables, kListed, R"(
    AND ($2::text IS NULL OR (item.item_code, item.item_id) > ($2::text, $3::uuid))
  ORDER BY item.item_code, item.item_id
  LIMIT $1::bigint
)"});

// What is not asked of a kind stays empty.
struct Filter {
  std::string invoice;
  std::string garden;
  std::string grade;
  std::string broker;
  std::string name;
  std::string purchase_order;
  std::string blend_code;
  std::string transfer_id;
  std::optional<bool> pending;
};

Filter FilterOf(const v1::ListTealinesRequest& request) {
  return {.invoice = request.invoice(),
          .garden = request.garden(),
          .grade = request.grade(),
          .broker = request.broker(),
          .pending = request.has_pending() ? std::optional(request.pending())
                                           : std::nullopt};
}
Filter FilterOf(const v1::ListHerblinesRequest& request) {
  return {.name = request.name(),
          .purchase_order = request.purchase_order(),
          .pending = request.has_pending() ? std::optional(request.pending())
                                           : std::nullopt};
}
Filter FilterOf(const v1::ListBlendbalancesRequest& request) {
  return {.blend_code = request.blend_code(),
          .transfer_id = request.transfer_id()};
}

// The orders of the three lists have the same numbers.
enum class Order { kNewestFirst, kOldestFirst, kByCode };
template <typename Request>
Order OrderOf(const Request& request) {
  switch (static_cast<int>(request.order_by())) {
    case v1::LIST_TEALINES_ORDER_CREATED:
      return Order::kOldestFirst;
    case v1::LIST_TEALINES_ORDER_ITEM_CODE:
      return Order::kByCode;
    default:
      return Order::kNewestFirst;
  }
}
static_assert(static_cast<int>(v1::LIST_HERBLINES_ORDER_CREATED) ==
                  v1::LIST_TEALINES_ORDER_CREATED &&
              static_cast<int>(v1::LIST_BLENDBALANCES_ORDER_CREATED) ==
                  v1::LIST_TEALINES_ORDER_CREATED &&
              static_cast<int>(v1::LIST_HERBLINES_ORDER_ITEM_CODE) ==
                  v1::LIST_TEALINES_ORDER_ITEM_CODE &&
              static_cast<int>(v1::LIST_BLENDBALANCES_ORDER_ITEM_CODE) ==
                  v1::LIST_TEALINES_ORDER_ITEM_CODE);

const db::Statement& StatementOf(Order order) {
  switch (order) {
    case Order::kOldestFirst:
      return kListOldestFirst;
    case Order::kByCode:
      return kListByCode;
    default:
      return kListNewestFirst;
  }
}

template <typename Kind, typename Request>
absl::Status AskList(const Request& request, db::Exchange& exchange) {
  const Order order = OrderOf(request);
  ASSIGN_OR_RETURN(
      const Position position,
      PagePosition(request, order == Order::kByCode ? OrderedBy::kText
                                                    : OrderedBy::kTime));
  const Filter filter = FilterOf(request);
  exchange.Add(
      StatementOf(order),
      db::Params()
          .Add(RowLimit(request))
          .Add(position.value)
          .Add(position.id)
          .Add(Kind::kKind)
          .Add(request.search())
          .Add(request.item_code())
          .Add(TimeIf(request.has_created_from(), request.created_from()))
          .Add(TimeIf(request.has_created_before(), request.created_before()))
          .Add(filter.invoice)
          .Add(filter.garden)
          .Add(filter.grade)
          .Add(filter.broker)
          .Add(filter.name)
          .Add(filter.purchase_order)
          .Add(filter.blend_code)
          .Add(filter.transfer_id)
          .Add(filter.pending));
  return absl::OkStatus();
}

template <typename Kind, typename Request, typename Response>
absl::StatusOr<Response> AnswerList(const Request& request,
                                    const db::Results& results) {
  std::vector<Item> items = ReadAll<Item>(results[0]);
  Response response;
  response.set_next_page_token(CutToPage(request, items, [&](const Item& item) {
    return OrderOf(request) == Order::kByCode ? item.item_code
                                              : TimeText(item.created_at);
  }));
  for (const Item& item : items) Kind::Show(item, response);
  return response;
}

}  // namespace

void AddMaterials(Commands& commands, Queries& queries) {
  commands.Add("mtp.processing.v1.MaterialService/CreateTealine",
               TouchNothing<v1::CreateTealineRequest>, DecideCreateTealine);
  commands.Add("mtp.processing.v1.MaterialService/UpdateTealine",
               TouchUpdate<v1::UpdateTealineRequest>, DecideUpdateTealine);
  commands.Add("mtp.processing.v1.MaterialService/DeleteTealine",
               TouchDelete<v1::DeleteTealineRequest>, DecideDeleteTealine);
  queries.Add(
      "mtp.processing.v1.MaterialService/GetTealine",
      AskGet<TealineKind, v1::GetTealineRequest>,
      AnswerGet<TealineKind, v1::GetTealineRequest, v1::GetTealineResponse>);
  queries.Add("mtp.processing.v1.MaterialService/ListTealines",
              AskList<TealineKind, v1::ListTealinesRequest>,
              AnswerList<TealineKind, v1::ListTealinesRequest,
                         v1::ListTealinesResponse>);

  commands.Add("mtp.processing.v1.MaterialService/CreateHerbline",
               TouchNothing<v1::CreateHerblineRequest>, DecideCreateHerbline);
  commands.Add("mtp.processing.v1.MaterialService/UpdateHerbline",
               TouchUpdate<v1::UpdateHerblineRequest>, DecideUpdateHerbline);
  commands.Add(
      "mtp.processing.v1.MaterialService/DeleteHerbline",
      TouchDelete<v1::DeleteHerblineRequest>,
      DecideDelete<v1::MATERIAL_KIND_HERBLINE, v1::DeleteHerblineRequest,
                   v1::DeleteHerblineResponse>);
  queries.Add(
      "mtp.processing.v1.MaterialService/GetHerbline",
      AskGet<HerblineKind, v1::GetHerblineRequest>,
      AnswerGet<HerblineKind, v1::GetHerblineRequest, v1::GetHerblineResponse>);
  queries.Add("mtp.processing.v1.MaterialService/ListHerblines",
              AskList<HerblineKind, v1::ListHerblinesRequest>,
              AnswerList<HerblineKind, v1::ListHerblinesRequest,
                         v1::ListHerblinesResponse>);

  commands.Add("mtp.processing.v1.MaterialService/CreateBlendbalance",
               TouchNothing<v1::CreateBlendbalanceRequest>,
               DecideCreateBlendbalance);
  commands.Add("mtp.processing.v1.MaterialService/UpdateBlendbalance",
               TouchUpdate<v1::UpdateBlendbalanceRequest>,
               DecideUpdateBlendbalance);
  commands.Add("mtp.processing.v1.MaterialService/DeleteBlendbalance",
               TouchDelete<v1::DeleteBlendbalanceRequest>,
               DecideDelete<v1::MATERIAL_KIND_BLENDBALANCE,
                            v1::DeleteBlendbalanceRequest,
                            v1::DeleteBlendbalanceResponse>);
  queries.Add("mtp.processing.v1.MaterialService/GetBlendbalance",
              AskGet<BlendbalanceKind, v1::GetBlendbalanceRequest>,
              AnswerGet<BlendbalanceKind, v1::GetBlendbalanceRequest,
                        v1::GetBlendbalanceResponse>);
  queries.Add("mtp.processing.v1.MaterialService/ListBlendbalances",
              AskList<BlendbalanceKind, v1::ListBlendbalancesRequest>,
              AnswerList<BlendbalanceKind, v1::ListBlendbalancesRequest,
                         v1::ListBlendbalancesResponse>);
}

}  // namespace mtp::processing

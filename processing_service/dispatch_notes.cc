#include "processing_service/dispatch_notes.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/protos.h"
#include "common/base/status.h"
#include "common/print/pdf.h"
#include "processing_service/errors.h"
#include "processing_service/printed_words.h"

namespace mtp::processing {
namespace {

using print::Point;

// In millimetres.
constexpr double kMargin = 15;
constexpr double kInner = print::Pdf::kWidth - 2 * kMargin;
constexpr double kRight = kMargin + kInner;
constexpr double kBottom = print::Pdf::kHeight - 18;
constexpr double kTitleSize = 7;
constexpr double kHeadingSize = 5;
constexpr double kSize = 3.4;
constexpr double kSmallSize = 2.6;
constexpr double kLineStep = 5;
// The code of a shipment, and of a bag: large enough for a reader in the hand.
constexpr double kShipmentCode = 30;
constexpr double kBagCode = 17;
constexpr double kSignatureBlock = 32;

// Where the columns of the bags begin.
constexpr double kBagText = kMargin + kBagCode + 3;
constexpr double kBagTextWidth = 105;

class Writer {
 public:
  Writer(const std::vector<NoteShipment>& shipments, absl::TimeZone zone,
         const print::Fonts& fonts)
      : shipments_(shipments),
        zone_(zone),
        pdf_(fonts, absl::StrCat("Dispatch note ",
                                 KeyText(shipments[0].shipment.key()))) {}

  absl::StatusOr<std::string> Write() {
    BeginPage();
    Heading();
    for (const NoteShipment& one : shipments_) {
      RETURN_IF_ERROR(Shipment(one));
    }
    Signatures();
    return pdf_.Bytes();
  }

 private:
  const v1::ShipmentDispatch& dispatch() const {
    return shipments_[0].shipment.dispatch();
  }

  // The foot says of which dispatch a page is, in case pages part.
  void BeginPage() {
    pdf_.BeginPage();
    ++page_;
    y_ = kMargin;
    const double foot = print::Pdf::kHeight - 10;
    pdf_.Text({kMargin, foot}, kSmallSize,
              absl::StrCat("Dispatch ", dispatch().dispatch_id()), kInner - 30);
    pdf_.TextRight({kRight, foot}, kSmallSize, absl::StrCat("Page ", page_),
                   30);
  }
  void Need(double height) {
    if (y_ + height > kBottom) BeginPage();
  }
  // A line from the left margin, of a size.
  void Line(double size, const std::string& text, double width = kInner) {
    y_ += size * 1.4;
    pdf_.Text({kMargin, y_}, size, text, width);
  }
  void Fact(const std::string& name, const std::string& value, double width) {
    constexpr double kNameWidth = 28;
    y_ += kLineStep;
    pdf_.Text({kMargin, y_}, kSize, name, kNameWidth);
    pdf_.Text({kMargin + kNameWidth, y_}, kSize, value, width - kNameWidth);
  }

  // Of all shipments, each once.
  std::string Vehicles() const {
    std::vector<std::string> vehicles;
    for (const NoteShipment& one : shipments_) {
      const std::string& vehicle = one.shipment.dispatch().shipment_vehicle();
      if (std::find(vehicles.begin(), vehicles.end(), vehicle) ==
          vehicles.end()) {
        vehicles.push_back(vehicle);
      }
    }
    return absl::StrJoin(vehicles, ", ");
  }

  void Heading() {
    int64_t bags = 0;
    int64_t grams = 0;
    for (const NoteShipment& one : shipments_) {
      bags += one.shipment.dispatch().bag_count();
      grams += one.shipment.dispatch().dispatched_grams();
    }
    Line(kTitleSize, "Dispatch note");
    y_ += 2;
    Fact("Vehicle", Vehicles(), kInner);
    Fact("Left", MinuteText(dispatch().occurred_at(), zone_), kInner);
    Fact("By", dispatch().actor().username(), kInner);
    Fact("Shipments", std::to_string(shipments_.size()), kInner);
    Fact("In all", absl::StrCat(bags, " bags, ", WeightText(grams)), kInner);
  }

  absl::Status Shipment(const NoteShipment& one) {
    const v1::OpenShipment& shipment = one.shipment;
    const v1::ShipmentDispatch& left = shipment.dispatch();
    const std::string key = KeyText(shipment.key());
    // With its first bag, so that no heading stands alone.
    Need(kShipmentCode + 16 + kBagCode);
    y_ += 5;
    pdf_.Rule({kMargin, y_}, kInner);
    y_ += 2;
    const double top = y_;
    ASSIGN_OR_RETURN(const print::QrCode code, print::QrCode::Of(key));
    pdf_.Code({kRight - kShipmentCode, top}, kShipmentCode, code);

    constexpr double kWidth = kInner - kShipmentCode - 3;
    Line(kHeadingSize, absl::StrCat("Shipment ", key), kWidth);
    Fact("Order", shipment.order_code(), kWidth);
    Fact("Product",
         absl::StrCat(shipment.product_name(), " (", shipment.item_code(), ")"),
         kWidth);
    Fact("Carries",
         absl::StrCat(left.bag_count(), " bags, ",
                      WeightText(left.dispatched_grams())),
         kWidth);
    // One of several may have been put right: then it left on another lorry.
    if (left.shipment_vehicle() != dispatch().shipment_vehicle()) {
      Fact("Vehicle", left.shipment_vehicle(), kWidth);
    }
    if (left.has_corrected_at()) {
      Fact("Corrected", left.correction_reason(), kWidth);
    }
    y_ = std::max(y_ + 3, top + kShipmentCode);
    pdf_.Text({kMargin, y_}, kSmallSize,
              absl::StrCat("Manifest ",
                           absl::BytesToHexString(left.manifest_digest())),
              kInner);
    y_ += 2;
    pdf_.Rule({kMargin, y_}, kInner);
    for (const NoteLine& line : one.lines) RETURN_IF_ERROR(Bag(line));
    return absl::OkStatus();
  }

  absl::Status Bag(const NoteLine& line) {
    Need(kBagCode + 1);
    const std::string text = LabelCode(line.bag.kind(), line.bag.barcode());
    ASSIGN_OR_RETURN(const print::QrCode code, print::QrCode::Of(text));
    pdf_.Code({kMargin, y_ + 0.5}, kBagCode, code);
    const double first = y_ + 5;
    pdf_.Text(
        {kBagText, first}, kSize,
        absl::StrCat(KindWord(line.bag.kind()), " ", line.bag.source_code(),
                     ", bag ", line.bag.bag_number()),
        kBagTextWidth);
    pdf_.Text({kBagText, first + kLineStep}, kSize, line.bag.source_name(),
              kBagTextWidth);
    pdf_.Text({kBagText, first + 2 * kLineStep}, kSmallSize, text,
              kBagTextWidth);
    constexpr double kWeightWidth = kRight - kBagText - kBagTextWidth;
    pdf_.TextRight({kRight, first}, kSize, WeightText(line.grams),
                   kWeightWidth);
    if (line.grams != line.bag.net_grams()) {
      pdf_.TextRight({kRight, first + kLineStep}, kSmallSize,
                     absl::StrCat("of ", WeightText(line.bag.net_grams())),
                     kWeightWidth);
    }
    y_ += kBagCode + 1;
    pdf_.Rule({kMargin, y_}, kInner);
    return absl::OkStatus();
  }

  void Signatures() {
    Need(kSignatureBlock);
    y_ += kSignatureBlock - 8;
    constexpr double kWidth = 52;
    constexpr double kGap = (kInner - 3 * kWidth) / 2;
    double x = kMargin;
    for (const char* who :
         {"Handed over, Seeduwa", "Driver", "Received, Grandpass"}) {
      pdf_.Rule({x, y_}, kWidth);
      pdf_.Text({x, y_ + 4}, kSmallSize, who, kWidth);
      x += kWidth + kGap;
    }
  }

  const std::vector<NoteShipment>& shipments_;
  const absl::TimeZone zone_;
  print::Pdf pdf_;
  int page_ = 0;
  double y_ = 0;  // down to here the page is written
};

// --- GetDispatchNote

// One shipment by its key, or those of a dispatch: each found by its index.
constexpr std::string_view kWhich = R"(
  JOIN (SELECT request_code, shipment_code FROM shipment
        WHERE request_code = $1::bigint AND shipment_code = $2::bigint
        UNION
        SELECT request_code, shipment_code FROM shipment
        WHERE dispatch_id = $3::uuid) AS wanted
    ON wanted.request_code = shipment.request_code
   AND wanted.shipment_code = shipment.shipment_code
)";

const db::Statement kShipments = db::Compose(
    {"SELECT", kShipmentColumns, R"(,
    (SELECT peer_heard_at FROM sync.epoch)
  FROM shipment
)",
     kWhich, "ORDER BY shipment.request_code, shipment.shipment_code"});

constexpr std::string_view kShipped = R"(
  FROM shipment
  JOIN allocation ON allocation.request_code = shipment.request_code
                 AND allocation.shipment_code = shipment.shipment_code
                 AND allocation.released_at IS NULL
)";

const db::Statement kLines =
    db::Compose({kAllocationColumns, kShipped, kWhich, R"(
  ORDER BY allocation.barcode, allocation.allocation_id
)"});

const db::Statement kBags = db::Compose({kBagColumns, R"(
  FROM (SELECT DISTINCT allocation.barcode)",
                                         kShipped, kWhich, R"() AS shipped
  JOIN bag ON bag.barcode = shipped.barcode
)",
                                         kBagJoins});

absl::Status AskGetDispatchNote(const v1::GetDispatchNoteRequest& request,
                                db::Exchange& exchange) {
  if (request.which_case() == v1::GetDispatchNoteRequest::WHICH_NOT_SET) {
    return errors::InvalidField("which", "needs one of key, dispatch_id");
  }
  const auto key = db::ShipmentKey::Of(request.key());
  for (const db::Statement& statement : {kShipments, kLines, kBags}) {
    exchange.Add(statement, db::Params()
                                .Add(key.request_code)
                                .Add(key.shipment_code)
                                .Add(Uuid::Parse(request.dispatch_id())));
  }
  return absl::OkStatus();
}

// A manifest has a bag once for each allocation of it.
std::vector<NoteShipment> ReadNote(const db::Results& results) {
  std::map<Uuid, Bag> bags;
  for (const db::Row row : results[2]) {
    Bag bag = db::Read<Bag>(row);
    bags.emplace(bag.barcode, std::move(bag));
  }
  std::map<db::ShipmentKey, std::vector<NoteLine>> lines;
  for (const db::Row row : results[1]) {
    const Allocation line = db::Read<Allocation>(row);
    lines[*line.shipment()].push_back(
        {bags.at(line.barcode).Shown(), line.grams});
  }
  // As somebody ticks them off at the lorry.
  const auto place = [](const NoteLine& line) {
    return std::make_tuple(line.bag.source_code(), line.bag.source_name(),
                           line.bag.bag_number());
  };
  for (auto& [key, ticked] : lines) {
    std::stable_sort(ticked.begin(), ticked.end(),
                     [&](const NoteLine& a, const NoteLine& b) {
                       return place(a) < place(b);
                     });
  }
  std::vector<NoteShipment> shipments;
  for (const db::Row row : results[0]) {
    const Shipment shipment = db::Read<Shipment>(row);
    shipments.push_back({shipment.Shown(shipment.dispatched_bags),
                         std::move(lines[shipment.key()])});
  }
  return shipments;
}

absl::StatusOr<v1::GetDispatchNoteResponse> AnswerGetDispatchNote(
    const v1::GetDispatchNoteRequest& request, const db::Results& results,
    absl::TimeZone zone, const print::Fonts& fonts) {
  if (results[0].empty()) {
    return request.has_key() ? errors::ShipmentNotFound(KeyText(request.key()))
                             : errors::DispatchNotFound(request.dispatch_id());
  }
  if (const Shipment first = db::Read<Shipment>(results[0][0]);
      !first.dispatched) {
    return errors::WrongShipmentStatus(first);
  }
  v1::GetDispatchNoteResponse response;
  ASSIGN_OR_RETURN(*response.mutable_content(),
                   DispatchNotePdf(ReadNote(results), zone, fonts));
  response.set_media_type("application/pdf");
  response.set_file_name(
      request.has_key()
          ? absl::StrCat("dispatch-", request.key().request_code(), "-",
                         request.key().shipment_code(), ".pdf")
          : absl::StrCat("dispatch-", request.dispatch_id(), ".pdf"));
  return response;
}

}  // namespace

absl::StatusOr<std::string> DispatchNotePdf(
    const std::vector<NoteShipment>& shipments, absl::TimeZone zone,
    const print::Fonts& fonts) {
  return Writer(shipments, zone, fonts).Write();
}

void AddDispatchNotes(Queries& queries, const Settings& settings,
                      const print::Fonts& fonts) {
  queries.Add<v1::GetDispatchNoteRequest, v1::GetDispatchNoteResponse>(
      "mtp.processing.v1.OutboundService/GetDispatchNote", AskGetDispatchNote,
      [zone = settings.time_zone, &fonts](
          const v1::GetDispatchNoteRequest& request,
          const db::Results& results) {
        return AnswerGetDispatchNote(request, results, zone, fonts);
      },
      handlers::Reach::kTable);
}

}  // namespace mtp::processing

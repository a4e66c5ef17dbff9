#include "tests/support/papers.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/errors.h"
#include "mtp/processing/v1/bags.pb.h"
#include "mtp/processing/v1/outbound.pb.h"
#include "tests/support/story.h"
#include "tests/support/wait.h"

namespace mtp::tests {
namespace {

using namespace processing::v1;  // NOLINT: this file's whole subject
using options::v1::ROLE_SEEDUWA_OPERATOR;
using Codes = std::set<std::string>;

constexpr char kLabel[] = "mtp.processing.v1.BagService/GetBagLabel";
constexpr char kNote[] = "mtp.processing.v1.OutboundService/GetDispatchNote";
constexpr char kNobodysId[] = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

absl::StatusOr<GetBagLabelResponse> LabelOf(const Stack& stack,
                                            const std::string& barcode,
                                            LabelFormat format) {
  GetBagLabelRequest request;
  request.set_barcode(barcode);
  request.set_format(format);
  return stack.Call<GetBagLabelResponse>(ROLE_SEEDUWA_OPERATOR, kLabel,
                                         request);
}

TEST_CASE("a bag's label is read by a scanner, whatever form it has") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  story.DoSteps(1, 3);
  const std::string& barcode = story.tea_bags[1];
  const std::string code = "tealine:" + barcode;

  const auto data = LabelOf(stack, barcode, LABEL_FORMAT_UNSPECIFIED);
  REQUIRE(data.ok());
  CHECK(data->code() == code);
  CHECK(data->image().empty());
  CHECK(data->media_type().empty());
  CHECK(data->bag().barcode() == barcode);
  REQUIRE(data->lines_size() > 6);
  CHECK(data->lines(0) == "Tealine T-" + story.blend_code);
  CHECK(data->lines(2) == "Bag 2");
  CHECK(data->lines(3) == "Net 50.000 kg");
  CHECK(data->lines(6) == story.location);

  const auto png = LabelOf(stack, code, LABEL_FORMAT_PNG);
  REQUIRE(png.ok());
  CHECK(png->media_type() == "image/png");
  CHECK(CodesInPng(png->image()) == Codes{code});

  const auto svg = LabelOf(stack, barcode, LABEL_FORMAT_SVG);
  REQUIRE(svg.ok());
  CHECK(svg->media_type() == "image/svg+xml");
  CHECK(CodesInSvg(svg->image()) == Codes{code});

  for (const std::string& unknown :
       {std::string(kNobodysId), "herbline:" + barcode}) {
    const auto none = LabelOf(stack, unknown, LABEL_FORMAT_PNG);
    CHECK(none.status().code() == absl::StatusCode::kNotFound);
    CHECK(errors::Reason(none.status()) == "BAG_NOT_FOUND");
  }
}

absl::StatusOr<GetDispatchNoteResponse> NoteOf(
    const Stack& stack, const GetDispatchNoteRequest& request) {
  return stack.Call<GetDispatchNoteResponse>(ROLE_SEEDUWA_OPERATOR, kNote,
                                             request);
}

TEST_CASE(
    "the driver's paper has every bag that left, by shipment or vehicle") {
  Stack& stack = Stack::Shared();
  Story story(stack);
  story.DoSteps(1, 6);
  GetDispatchNoteRequest by_key;
  *by_key.mutable_key() = story.shipment;
  const auto early = NoteOf(stack, by_key);
  CHECK(early.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(errors::Reason(early.status()) == "WRONG_SHIPMENT_STATUS");
  CHECK(Value(early.status(), "status") == "SHIPMENT_STATUS_ORDER_READY");

  story.DoSteps(7, 7);
  Codes codes = {absl::StrCat(story.shipment.request_code(), "/",
                              story.shipment.shipment_code())};
  for (int i = 0; i < Story::kShippedBagCount; ++i) {
    codes.insert("blendsheet:" + story.blend_bags[static_cast<size_t>(i)]);
  }
  const auto note = NoteOf(stack, by_key);
  REQUIRE(note.ok());
  CHECK(note->media_type() == "application/pdf");
  CHECK(note->file_name() ==
        absl::StrCat("dispatch-", story.shipment.request_code(), "-",
                     story.shipment.shipment_code(), ".pdf"));
  CHECK(CodesInPdf(note->content()) == codes);
  const std::string text = TextInPdf(note->content());
  CHECK(text.find(story.vehicle) != std::string::npos);
  CHECK(text.find(story.order_code) != std::string::npos);
  CHECK(text.find("10 bags, 500.000 kg") != std::string::npos);
  // In the order in which somebody ticks them off.
  size_t before = 0;
  for (int i = 0; i < Story::kShippedBagCount; ++i) {
    const size_t at = text.find(story.blend_bags[static_cast<size_t>(i)]);
    REQUIRE(at != std::string::npos);
    CHECK(at > before);
    before = at;
  }

  GetDispatchNoteRequest by_dispatch;
  by_dispatch.set_dispatch_id(story.dispatch_id);
  const auto whole = NoteOf(stack, by_dispatch);
  REQUIRE(whole.ok());
  CHECK(whole->file_name() ==
        absl::StrCat("dispatch-", story.dispatch_id, ".pdf"));
  CHECK(CodesInPdf(whole->content()) == codes);
}

TEST_CASE("there is no paper of what nobody knows") {
  Stack& stack = Stack::Shared();
  GetDispatchNoteRequest request;
  CHECK(errors::Reason(NoteOf(stack, request).status()) == "INVALID_FIELDS");
  request.set_dispatch_id(kNobodysId);
  CHECK(errors::Reason(NoteOf(stack, request).status()) ==
        "DISPATCH_NOT_FOUND");
  request.mutable_key()->set_request_code(999'999'999);
  request.mutable_key()->set_shipment_code(1);
  CHECK(errors::Reason(NoteOf(stack, request).status()) ==
        "SHIPMENT_NOT_FOUND");
}

}  // namespace
}  // namespace mtp::tests

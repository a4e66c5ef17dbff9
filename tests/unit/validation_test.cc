#include "common/rpc/validation.h"

#include <catch2/catch.hpp>
#include <map>

#include "common/rpc/validation_formats.h"
#include "google/protobuf/descriptor.pb.h"
#include "google/protobuf/dynamic_message.h"
#include "google/protobuf/text_format.h"
#include "google/rpc/error_details.pb.h"
#include "mtp/options/v1/options.pb.h"
#include "mtp/processing/v1/allocations.pb.h"

namespace mtp::rpc {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

using google::protobuf::DescriptorProto;
using google::protobuf::FieldDescriptorProto;

// A field of the contract made for the test: its type and name as a .proto
// says them, its rules, and the oneof it is in. Numbers follow the order.
struct FieldText {
  const char* type;
  const char* name;
  const char* rules = "";
  const char* oneof = "";
  const char* label = "";  // optional, repeated
};

constexpr FieldText kPart[] = {
    {"string", "name", "required: true format: FORMAT_LINE"},
    {"int64", "net_grams"},
    {".test.v1.Part", "parts", "", "", "repeated"},
};

// Every kind of rule.
constexpr FieldText kRequest[] = {
    {"string", "id", "format: FORMAT_UUID"},
    {"string", "barcode", "format: FORMAT_BARCODE"},
    {"string", "code", "format: FORMAT_CODE"},
    {"string", "text", "format: FORMAT_TEXT min_length: 2 max_length: 5"},
    {"string", "free"},
    {"bytes", "blob", "min_length: 2 max_length: 4"},
    {"int32", "count", "min: 1 max: 9"},
    {"int32", "maybe", "min: 1", "", "optional"},
    {"uint64", "large", "max: 100"},
    {"double", "share", "min: 0 max: 1"},
    {"int64", "tare_grams"},
    {".test.v1.Color", "color", "required: true"},
    {".test.v1.Color", "other_color"},
    {".test.v1.Part", "part", "required: true"},
    {".test.v1.Part", "parts", "max_items: 3", "", "repeated"},
    {"string", "tags", "unique: true max_items: 5", "", "repeated"},
    {"int64", "codes", "unique: true min: 1", "", "repeated"},
    {".test.v1.Request.LabelsEntry", "labels", "max_items: 2", "", "repeated"},
    {".google.protobuf.Timestamp", "at", "not_in_future: true"},
    {".google.protobuf.Timestamp", "later"},
    {".google.protobuf.Duration", "wait"},
    {".mtp.common.v1.Date", "day"},
    {"string", "batch", "required: true format: FORMAT_CODE", "target"},
    {".test.v1.Part", "shipment", "", "target"},
    {"int64", "number", "min: 5", "target"},
    {"string", "left", "format: FORMAT_CODE", "hint"},
    {"string", "right", "", "hint"},
    {"int32", "anything", "", "", "repeated"},
};

FieldDescriptorProto::Type TypeOf(const std::string& text) {
  static const std::map<std::string, FieldDescriptorProto::Type> kTypes = {
      {"string", FieldDescriptorProto::TYPE_STRING},
      {"bytes", FieldDescriptorProto::TYPE_BYTES},
      {"int32", FieldDescriptorProto::TYPE_INT32},
      {"int64", FieldDescriptorProto::TYPE_INT64},
      {"uint64", FieldDescriptorProto::TYPE_UINT64},
      {"double", FieldDescriptorProto::TYPE_DOUBLE},
      {".test.v1.Color", FieldDescriptorProto::TYPE_ENUM}};
  const auto it = kTypes.find(text);
  return it == kTypes.end() ? FieldDescriptorProto::TYPE_MESSAGE : it->second;
}

void AddOneof(DescriptorProto& message, FieldDescriptorProto& field,
              const std::string& name) {
  int index = 0;
  while (index < message.oneof_decl_size() &&
         message.oneof_decl(index).name() != name) {
    ++index;
  }
  if (index == message.oneof_decl_size()) {
    message.add_oneof_decl()->set_name(name);
  }
  field.set_oneof_index(index);
}

void AddField(DescriptorProto& message, const FieldText& text) {
  FieldDescriptorProto& field = *message.add_field();
  field.set_name(text.name);
  field.set_number(message.field_size());
  field.set_type(TypeOf(text.type));
  if (text.type[0] == '.') field.set_type_name(text.type);
  field.set_label(std::string(text.label) == "repeated"
                      ? FieldDescriptorProto::LABEL_REPEATED
                      : FieldDescriptorProto::LABEL_OPTIONAL);
  if (text.oneof[0] != '\0') AddOneof(message, field, text.oneof);
  if (text.rules[0] != '\0') {
    REQUIRE(google::protobuf::TextFormat::ParseFromString(
        text.rules,
        field.mutable_options()->MutableExtension(options::v1::rules)));
  }
}

google::protobuf::FileDescriptorProto TestFile() {
  google::protobuf::FileDescriptorProto file;
  REQUIRE(google::protobuf::TextFormat::ParseFromString(
      R"(name: "test/v1/test.proto" package: "test.v1" syntax: "proto3"
         dependency: "google/protobuf/duration.proto"
         dependency: "google/protobuf/timestamp.proto"
         dependency: "mtp/common/v1/common.proto"
         enum_type { name: "Color"
           value { name: "COLOR_UNSPECIFIED" number: 0 }
           value { name: "COLOR_RED" number: 1 }
           value { name: "COLOR_BLUE" number: 7 } })",
      &file));
  DescriptorProto& part = *file.add_message_type();
  part.set_name("Part");
  for (const FieldText& field : kPart) AddField(part, field);
  DescriptorProto& request = *file.add_message_type();
  request.set_name("Request");
  for (const FieldText& field : kRequest) AddField(request, field);
  // `optional` is a oneof of its own, after all others.
  for (FieldDescriptorProto& field : *request.mutable_field()) {
    if (field.name() != "maybe") continue;
    field.set_proto3_optional(true);
    AddOneof(request, field, "_maybe");
  }
  DescriptorProto& entry = *request.add_nested_type();
  entry.set_name("LabelsEntry");
  entry.mutable_options()->set_map_entry(true);
  AddField(entry, {"string", "key"});
  AddField(entry, {"string", "value"});
  return file;
}

class Contract {
 public:
  Contract() {
    REQUIRE(pool_.BuildFile(TestFile()) != nullptr);
    type_ = pool_.FindMessageTypeByName("test.v1.Request");
    validator_ =
        std::make_unique<Validator>(type_, Validator::Scope::kWhole, &factory_);
  }

  const google::protobuf::Descriptor* type() const { return type_; }
  google::protobuf::MessageFactory* factory() { return &factory_; }

  // Of a field that is named twice the last value counts.
  std::unique_ptr<google::protobuf::Message> Message(const std::string& text) {
    std::unique_ptr<google::protobuf::Message> message(
        factory_.GetPrototype(type_)->New());
    REQUIRE(google::protobuf::TextFormat::MergeFromString(text, message.get()));
    return message;
  }

  // The violations by field, for a request that is fine but for `text`.
  std::map<std::string, std::string> Violations(const std::string& text) {
    return Faults(
        validator_
            ->Parse(Message("count: 1 color: COLOR_RED part { name: \"p\" } "
                            "batch: \"B1\" " +
                            text)
                        ->SerializeAsString(),
                    kNow)
            .status());
  }

  static std::map<std::string, std::string> Faults(const absl::Status& status) {
    std::map<std::string, std::string> faults;
    if (status.ok()) return faults;
    REQUIRE(status.code() == absl::StatusCode::kInvalidArgument);
    google::rpc::BadRequest bad_request;
    REQUIRE(bad_request.ParseFromString(std::string(
        *status.GetPayload("type.googleapis.com/google.rpc.BadRequest"))));
    for (const auto& violation : bad_request.field_violations()) {
      faults[violation.field()] = violation.description();
    }
    return faults;
  }

  // The only field that `text` makes wrong; empty when none is.
  std::string Wrong(const std::string& text) {
    const auto violations = Violations(text);
    if (violations.empty()) return "";
    CAPTURE(text);
    REQUIRE(violations.size() == 1);
    return violations.begin()->first;
  }

 private:
  google::protobuf::DescriptorPool pool_{
      google::protobuf::DescriptorPool::generated_pool()};
  google::protobuf::DynamicMessageFactory factory_;
  const google::protobuf::Descriptor* type_ = nullptr;
  std::unique_ptr<Validator> validator_;
};

TEST_CASE("a request that keeps all rules is taken") {
  Contract contract;
  REQUIRE(contract.Wrong("") == "");
  REQUIRE(contract.Wrong(
              "id: \"0190A1B2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\" "
              "barcode: \"tealine:0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\" "
              "code: \"A.b_c/d-1\" text: \"ab\\n\\tc\" blob: \"\\000\\001\" "
              "maybe: 1 large: 100 share: 0.5 tare_grams: 1000000000000 "
              "other_color: COLOR_BLUE parts { name: \"x\" } tags: [\"a\", "
              "\"b\"] codes: [1, 2] labels { key: \"k\" value: \"v\" } "
              "at { seconds: 1700000059 } later { seconds: 253402300799 } "
              "wait { seconds: -1 nanos: -1 } "
              "day { year: 2024 month: 2 day: 29 }") == "");
}

TEST_CASE("every kind of rule is enforced") {
  Contract contract;
  const std::pair<const char*, const char*> cases[] = {
      {"id: \"x\"", "id"},
      {"id: \"00000000-0000-0000-0000-000000000000\"", "id"},
      {"barcode: \"Tea:0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\"", "barcode"},
      {"barcode: \":0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\"", "barcode"},
      {"code: \"-a\"", "code"},
      {"code: \"a b\"", "code"},
      {"text: \"a\"", "text"},
      {"text: \"abcdef\"", "text"},
      {"text: \"ab\\r\"", "text"},
      {"free: \"a\\000b\"", "free"},
      {"blob: \"a\"", "blob"},
      {"blob: \"abcde\"", "blob"},
      {"count: 0", "count"},
      {"count: 10", "count"},
      {"maybe: 0", "maybe"},
      {"large: 18446744073709551615", "large"},
      {"share: nan", "share"},
      {"share: inf", "share"},
      {"share: 1.01", "share"},
      {"tare_grams: -1", "tare_grams"},
      {"tare_grams: 1000000000001", "tare_grams"},
      {"other_color: 2", "other_color"},
      {"other_color: -1", "other_color"},
      {"part { net_grams: -1 }", "part.net_grams"},
      {"parts { name: \"a\" } parts { }", "parts[1].name"},
      {"parts { name: \"a\" parts { name: \"b\" net_grams: -5 } }",
       "parts[0].parts[0].net_grams"},
      {"parts { name: \"  \" }", "parts[0].name"},
      {"parts { name: \"a\\nb\" }", "parts[0].name"},
      {"parts { name: \"\\302\\205\" }", "parts[0].name"},
      {"tags: [\"a\", \"b\", \"a\"]", "tags[2]"},
      {"tags: [\"\\000\"]", "tags[0]"},
      {"tags: [\"1\", \"2\", \"3\", \"4\", \"5\", \"6\"]", "tags"},
      {"codes: [1, 2, 1]", "codes[2]"},
      {"codes: [1, 0]", "codes[1]"},
      {"labels { key: \"k\" value: \"\\000\" }", "labels[\"k\"]"},
      {"labels { key: \"\\000\" value: \"v\" }", "labels[0]"},
      {"labels { key: \"1\" } labels { key: \"2\" } labels { key: \"3\" }",
       "labels"},
      {"at { seconds: 1700000061 }", "at"},
      {"at { seconds: 946684799 }", "at"},
      {"later { seconds: 253402300800 }", "later"},
      {"later { nanos: -1 }", "later"},
      {"wait { seconds: 1 nanos: -1 }", "wait"},
      {"day { year: 2023 month: 2 day: 29 }", "day"},
      {"day { year: 2023 month: 4 day: 31 }", "day"},
      {"day { year: 2023 month: 13 day: 1 }", "day.month"},
      {"batch: \"\"", "batch"},
      {"number: 4", "number"},
      {"shipment { }", "shipment.name"},
      {"left: \"?\"", "left"},
  };
  for (const auto& [text, field] : cases) {
    CAPTURE(text);
    REQUIRE(contract.Wrong(text) == field);
  }
}

TEST_CASE("a oneof with a required member needs one of its members") {
  Contract contract;
  const Validator validator(contract.type(), Validator::Scope::kWhole,
                            contract.factory());
  const auto faults = Contract::Faults(validator.Check(
      *contract.Message("count: 1 color: COLOR_RED part { name: \"p\" }"),
      kNow));
  REQUIRE(faults == std::map<std::string, std::string>{
                        {"target", "needs one of batch, shipment or number"}});
}

TEST_CASE("all violations are told at once") {
  Contract contract;
  const Validator validator(contract.type(), Validator::Scope::kWhole,
                            contract.factory());
  const auto faults = Contract::Faults(
      validator.Check(*contract.Message("id: \"x\" tare_grams: -1"), kNow));
  REQUIRE(faults.size() == 6);
  for (const char* field :
       {"id", "tare_grams", "count", "color", "part", "target"}) {
    REQUIRE(faults.count(field) == 1);
  }
}

TEST_CASE("lengths count characters, not bytes") {
  Contract contract;
  REQUIRE(contract.Wrong("text: \"\\303\\251\\303\\251\\303\\251\\303\\251"
                         "\\303\\251\"") == "");
  REQUIRE(contract.Wrong("free: \"" + std::string(1000, 'a') + "\"") == "");
  REQUIRE(contract.Wrong("free: \"" + std::string(1001, 'a') + "\"") == "free");
}

TEST_CASE("lists have a limit even where the contract names none") {
  Contract contract;
  std::string text = "anything: [0";
  for (int i = 0; i < 1000; ++i) text += ", 0";
  REQUIRE(contract.Wrong(text + "]") == "anything");
}

TEST_CASE("the items of a frame's lists are not looked at, all else is") {
  Contract contract;
  const Validator frame(contract.type(), Validator::Scope::kFrame,
                        contract.factory());
  const auto faults = Contract::Faults(frame.Check(
      *contract.Message("count: 1 color: COLOR_RED part { name: \"p\" } batch: "
                        "\"B\" parts { net_grams: -1 } id: \"x\""),
      kNow));
  REQUIRE(faults.size() == 1);
  REQUIRE(faults.count("id") == 1);
}

using mtp::processing::v1::AllocateToShipmentRequest;

AllocateToShipmentRequest GoodAllocation() {
  AllocateToShipmentRequest request;
  request.set_request_id("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b");
  request.set_barcode("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c");
  request.mutable_shipment()->set_request_code(17);
  request.mutable_shipment()->set_shipment_code(1);
  request.set_grams(25'000);
  return request;
}

TEST_CASE("a parsed request is of the generated type") {
  const Validator validator(AllocateToShipmentRequest::descriptor());
  const auto message =
      validator.Parse(GoodAllocation().SerializeAsString(), kNow);
  REQUIRE(message.ok());
  const auto* typed =
      dynamic_cast<const AllocateToShipmentRequest*>(message->get());
  REQUIRE(typed != nullptr);
  REQUIRE(typed->grams() == 25'000);
}

TEST_CASE("bytes that are no such message are told with their place") {
  const Validator validator(AllocateToShipmentRequest::descriptor());
  const auto faults = [&](const std::string& bytes) {
    const auto parsed = validator.Parse(bytes, kNow);
    REQUIRE_FALSE(parsed.ok());
    return Contract::Faults(parsed.status());
  };
  // Field 2, barcode, with bytes that are not UTF-8, beside a good field.
  REQUIRE(
      faults("\x12\x02\xc3\x28") ==
      std::map<std::string, std::string>{{"barcode", "must be valid UTF-8"}});
  REQUIRE(faults("\x12\x02\xc3\x28\x0a\x01\xff").size() == 2);
  REQUIRE(faults("\x12\x7f").count("barcode") == 1);  // cut short
  REQUIRE(faults("\x1a\x02\x08\x80").count("shipment.request_code") == 1);
  REQUIRE(faults("\x07").count("request") == 1);                // wire type 7
  REQUIRE(faults(std::string(1, '\0')).count("request") == 1);  // field 0
  std::string deep;
  for (int i = 0; i < 200; ++i) deep = "\x1b" + deep + "\x1c";
  REQUIRE(faults(deep).size() == 1);
}

TEST_CASE("no bytes whatever upset the parsing") {
  const Validator validator(
      mtp::processing::v1::BatchAllocateRequest::descriptor());
  mtp::processing::v1::BatchAllocateRequest request;
  request.set_request_id("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b");
  for (int i = 0; i < 3; ++i) {
    auto* draft = request.add_allocations();
    draft->set_barcode("0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c");
    draft->mutable_shipment()->set_request_code(i + 1);
    draft->set_grams(1 + i);
  }
  const std::string good = request.SerializeAsString();
  uint64_t state = 42;
  const auto next = [&state] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state >> 33);
  };
  google::protobuf::SetLogHandler(nullptr);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (uint32_t i = 0; i <= next() % 4; ++i) {
      bytes[next() % bytes.size()] = static_cast<char>(next());
    }
    bytes.resize(next() % (bytes.size() + 1));
    const auto parsed = validator.Parse(bytes, kNow);
    if (!parsed.ok()) {
      REQUIRE(parsed.status().code() == absl::StatusCode::kInvalidArgument);
      REQUIRE_FALSE(Contract::Faults(parsed.status()).empty());
    }
  }
}

TEST_CASE("checking UTF-8 knows its corners") {
  for (const char* good : {"", "a", "\xc3\xa9", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    REQUIRE(IsUtf8(good));
  }
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3",
                          "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x28"}) {
    REQUIRE_FALSE(IsUtf8(bad));
  }
}

}  // namespace
}  // namespace mtp::rpc

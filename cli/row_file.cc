#include "cli/row_file.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "cli/failures.h"
#include "common/base/characters.h"
#include "common/base/status.h"
#include "google/protobuf/stubs/common.h"
#include "mtp/order/v1/plans.pb.h"
#include "mtp/order/v1/requests.pb.h"
#include "mtp/processing/v1/bags.pb.h"

namespace mtp::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kLineNumber[] = "line_number";
// What Excel lets a cell hold, in characters, and the contract a text of a row.
constexpr size_t kCellLimit = 32'767;
constexpr char kSaveAsUtf8[] = "not UTF-8; save the file as `CSV UTF-8`";

absl::Status Unreadable(const std::string& path) {
  return UsageError(absl::StrCat("cannot read ", path));
}

struct Digest {
  std::string hex;
  int64_t bytes = 0;
};

absl::StatusOr<Digest> DigestOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) return Unreadable(path);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  Digest digest;
  std::array<char, 1 << 16> buffer;
  while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0) {
    EVP_DigestUpdate(context.get(), buffer.data(), file.gcount());
    digest.bytes += file.gcount();
  }
  if (file.bad()) return Unreadable(path);
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum;
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), sum.data(), &size);
  digest.hex = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(sum.data()), size));
  return digest;
}

// `Order Code` and ` order_code ` are the column order_code.
std::string ColumnName(const std::string& heading) {
  return absl::StrReplaceAll(
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(heading)),
      {{" ", "_"}, {"-", "_"}});
}

bool IsUtf8(const std::string& text) {
  return google::protobuf::internal::IsStructurallyValidUTF8(
      text.data(), static_cast<int>(text.size()));
}

// What a first line looks like when it is none of a CSV file, or empty.
std::string WhyNoHeading(const std::vector<std::string>& cells) {
  if (cells.front().starts_with("PK\x03\x04")) {
    return "a workbook, not CSV; save it as `CSV UTF-8`";
  }
  for (const std::string& cell : cells) {
    if (!IsUtf8(cell) || cell.find('\0') != std::string::npos)
      return kSaveAsUtf8;
  }
  if (cells.size() > 1) return "";
  for (const char* divider : {";", "\t", "|"}) {
    if (cells.front().find(divider) != std::string::npos) {
      return absl::StrCat("divided by ",
                          *divider == '\t'  ? "tabs"
                          : *divider == ';' ? "semicolons"
                                            : "bars",
                          "; its cells must be divided by commas");
    }
  }
  return "";
}

// What is wrong with a cell before anybody reads it, or empty.
std::string WhyNoCell(const std::string& text) {
  if (!IsUtf8(text)) return kSaveAsUtf8;
  if (text.find('\0') != std::string::npos) return "a NUL byte in it";
  if (text.size() > kCellLimit && CountCharacters(text) > kCellLimit) {
    return absl::StrCat("more than ", kCellLimit, " characters");
  }
  return "";
}

}  // namespace

RowKind PlanRows() { return {"plan", order::v1::PlanRow::descriptor(), {}}; }

RowKind OpenRequestRows() {
  return {"open order",
          order::v1::OpenRequestRow::descriptor(),
          {"product_name", "item_code", "requested_on", "special", "comments"}};
}

RowKind OpeningStockRows() {
  return {"opening stock",
          processing::v1::OpeningStockRow::descriptor(),
          {"batch_number", "tare", "bag_number", "reference", "received"}};
}

RowFile::RowFile(std::string path, RowKind kind, std::string digest,
                 int64_t bytes)
    : path_(std::move(path)),
      kind_(std::move(kind)),
      name_(std::filesystem::path(path_).filename().string()),
      digest_(std::move(digest)),
      bytes_(bytes),
      file_(path_, std::ios::binary),
      reader_(file_) {}

absl::StatusOr<std::unique_ptr<RowFile>> RowFile::Open(const std::string& path,
                                                       RowKind kind) {
  std::error_code error;
  const std::filesystem::file_status file_status =
      std::filesystem::status(path, error);
  if (!std::filesystem::exists(file_status))
    return UsageError("there is no file " + path);
  if (std::filesystem::is_directory(file_status))
    return UsageError(path + " is a folder");
  if (!std::filesystem::is_regular_file(file_status)) {
    return UsageError(path +
                      " is no file: it is read twice, for its digest and for "
                      "its rows. Save it first.");
  }
  ASSIGN_OR_RETURN(Digest digest, DigestOf(path));
  std::unique_ptr<RowFile> file(
      new RowFile(path, std::move(kind), std::move(digest.hex), digest.bytes));
  RETURN_IF_ERROR(file->ReadHeading());
  return file;
}

absl::Status RowFile::ReadHeading() {
  absl::StatusOr<std::optional<CsvRecord>> heading = reader_.Next();
  if (!heading.ok()) {
    return UsageError(absl::StrCat(path_, ": ", heading.status().message()));
  }
  if (!heading->has_value()) return UsageError(path_ + " is empty");
  if (const std::string why = WhyNoHeading((*heading)->fields); !why.empty()) {
    return UsageError(absl::StrCat(path_, " is ", why));
  }
  for (const std::string& text : (*heading)->fields) {
    const std::string name = ColumnName(text);
    const FieldDescriptor* column =
        name == kLineNumber ? nullptr : kind_.type->FindFieldByName(name);
    if (column == nullptr) {
      unknown_.push_back(text);
    } else if (std::find(columns_.begin(), columns_.end(), column) !=
               columns_.end()) {
      return UsageError(
          absl::StrCat(path_, ": the heading has ", name, " twice"));
    }
    columns_.push_back(column);
  }
  std::vector<std::string> missing;
  for (int i = 0; i < kind_.type->field_count(); ++i) {
    const FieldDescriptor* field = kind_.type->field(i);
    if (field->name() != kLineNumber &&
        std::find(kind_.optional.begin(), kind_.optional.end(),
                  field->name()) == kind_.optional.end() &&
        std::find(columns_.begin(), columns_.end(), field) == columns_.end()) {
      missing.push_back(field->name());
    }
  }
  if (missing.empty()) return absl::OkStatus();
  return UsageError(absl::StrCat(path_, " is no ", kind_.name,
                                 ": its first line lacks ",
                                 absl::StrJoin(missing, ", ")));
}

absl::Status RowFile::Take(const CsvRecord& record, Message& row) {
  if (record.fields.size() != columns_.size()) {
    return UsageError(
        absl::StrCat(path_, ", line ", record.line, ": ", record.fields.size(),
                     " cells, but the heading has ", columns_.size()));
  }
  row.GetReflection()->SetInt64(&row, kind_.type->FindFieldByName(kLineNumber),
                                record.line);
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i] == nullptr) continue;
    if (const std::string why = WhyNoCell(record.fields[i]); !why.empty()) {
      return UsageError(absl::StrCat(path_, ", line ", record.line, ", ",
                                     columns_[i]->name(), ": ", why));
    }
    row.GetReflection()->SetString(&row, columns_[i], record.fields[i]);
  }
  return absl::OkStatus();
}

absl::StatusOr<int> RowFile::Read(int limit, Message& into) {
  const FieldDescriptor* rows = into.GetDescriptor()->FindFieldByName("rows");
  int taken = 0;
  while (taken < limit) {
    absl::StatusOr<std::optional<CsvRecord>> record = reader_.Next();
    if (!record.ok()) {
      return UsageError(absl::StrCat(path_, ", ", record.status().message()));
    }
    if (!record->has_value()) break;
    // As spreadsheets write the empty rows below a table.
    if (std::all_of((*record)->fields.begin(), (*record)->fields.end(),
                    [](const std::string& cell) { return cell.empty(); })) {
      continue;
    }
    RETURN_IF_ERROR(
        Take(**record, *into.GetReflection()->AddMessage(&into, rows)));
    ++taken;
  }
  rows_ += taken;
  return taken;
}

}  // namespace mtp::cli

#include "cli/csv.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"

namespace mtp::cli {
namespace {

constexpr int kEnd = std::char_traits<char>::eof();

bool EndsField(int c) {
  return c == ',' || c == '\r' || c == '\n' || c == kEnd;
}

absl::Status Malformed(int64_t line, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("line ", line, ": ", std::string(what)));
}

}  // namespace

int CsvReader::Get() {
  const int c = in_.get();
  if (c != kEnd) {
    ++bytes_;
    ++record_bytes_;
  }
  return c;
}

void CsvReader::SkipByteOrderMark() {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  char begin[kMark.size()];
  const std::istream::pos_type start = in_.tellg();
  in_.read(begin, sizeof(begin));
  if (std::string_view(begin, in_.gcount()) == kMark) {
    bytes_ += kMark.size();
    return;
  }
  in_.clear();
  in_.seekg(start);
}

void CsvReader::EndLine(int c) {
  if (c == '\r' && Peek() == '\n') Get();
  if (c != kEnd) ++line_;
}

absl::Status CsvReader::ReadQuoted(const CsvRecord& record,
                                   std::string& field) {
  for (;;) {
    const int c = Get();
    if (c == kEnd || record_bytes_ > kRecordLimit) {
      return Malformed(record.line, "a quote is not closed");
    }
    if (c == '"') {
      if (Peek() != '"') break;
      Get();
    }
    if (c == '\n' || (c == '\r' && Peek() != '\n')) ++line_;
    field.push_back(static_cast<char>(c));
  }
  if (!EndsField(Peek())) {
    return Malformed(line_, "text stands behind a closing quote");
  }
  return absl::OkStatus();
}

// Reads one field and what ends it; whether the record goes on.
absl::StatusOr<bool> CsvReader::ReadField(CsvRecord& record) {
  std::string& field = record.fields.emplace_back();
  if (Peek() == '"') {
    Get();
    RETURN_IF_ERROR(ReadQuoted(record, field));
  }
  int c = Get();
  while (!EndsField(c)) {
    if (record_bytes_ > kRecordLimit) {
      return Malformed(record.line, "the line is longer than a spreadsheet's");
    }
    field.push_back(static_cast<char>(c));
    c = Get();
  }
  if (c == ',') return true;
  EndLine(c);
  return false;
}

absl::StatusOr<std::optional<CsvRecord>> CsvReader::Next() {
  if (bytes_ == 0) SkipByteOrderMark();
  while (Peek() == '\r' || Peek() == '\n') EndLine(Get());
  if (Peek() == kEnd) {
    if (in_.bad()) return absl::UnavailableError("the file cannot be read");
    return std::nullopt;
  }
  record_bytes_ = 0;
  CsvRecord record{.line = line_};
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(more, ReadField(record));
  }
  return record;
}

}  // namespace mtp::cli

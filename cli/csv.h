#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mtp::cli {

struct CsvRecord {
  // The line of the file on which the record begins, counted from 1.
  int64_t line = 0;
  // As they stand in the file, without the quotes.
  std::vector<std::string> fields;
};

// Reads comma-separated values (RFC 4180) record by record, as spreadsheets
// write them: with or without a byte order mark, lines ended by CR LF, LF or
// CR, quoted fields that may hold commas, line ends and doubled quotes. Lines
// without anything on them are passed over. `in` stands at the beginning of a
// file opened in binary mode and outlives the reader.
class CsvReader {
 public:
  // More than any spreadsheet's row: beyond it a quote was not closed.
  static constexpr size_t kRecordLimit = 1 << 20;

  explicit CsvReader(std::istream& in) : in_(in) {}

  // The next record; nothing at the end. INVALID_ARGUMENT names the line: a
  // quote that is not closed, text behind a closing quote, a record over the
  // limit.
  absl::StatusOr<std::optional<CsvRecord>> Next();

  int64_t bytes_read() const { return bytes_; }

 private:
  int Get();
  int Peek() { return in_.peek(); }
  void SkipByteOrderMark();
  // Takes the line end that begins with `c`, which was read.
  void EndLine(int c);
  absl::Status ReadQuoted(const CsvRecord& record, std::string& field);
  absl::StatusOr<bool> ReadField(CsvRecord& record);

  std::istream& in_;
  int64_t bytes_ = 0;
  int64_t line_ = 1;
  size_t record_bytes_ = 0;
};

}  // namespace mtp::cli

#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/csv.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace mtp::cli {

// What the rows of a file are.
struct RowKind {
  // As people say it: `plan`.
  std::string name;
  // The type of a row: `line_number`, and a text for each column.
  const google::protobuf::Descriptor* type;
  // The columns that a file may lack.
  std::vector<std::string> optional;
};

// Rows of planning departments, of an old system's open orders, of the first
// day of a plant.
RowKind PlanRows();
RowKind OpenRequestRows();
RowKind OpeningStockRows();

// A spreadsheet's export, read in pieces of any size: however large it is, only
// one piece is in memory.
class RowFile {
 public:
  // Reads the whole file once for its digest, then the heading, whose names
  // are the columns of the row in any order and case. INVALID_ARGUMENT: it
  // cannot be read, or a column is missing.
  static absl::StatusOr<std::unique_ptr<RowFile>> Open(const std::string& path,
                                                       RowKind kind);

  // Without folders.
  const std::string& name() const { return name_; }
  // SHA-256 in lower-case hexadecimal digits.
  const std::string& digest() const { return digest_; }
  // Names in the heading that are no column and are left out.
  const std::vector<std::string>& unknown_columns() const { return unknown_; }
  int64_t bytes() const { return bytes_; }
  int64_t bytes_read() const { return reader_.bytes_read(); }
  int64_t rows_read() const { return rows_; }

  // Adds up to `limit` rows to the field `rows` of a request; how many.
  // INVALID_ARGUMENT names the line that is no row of this file: another number
  // of cells; and the column, where a cell is not UTF-8, has a NUL byte in it
  // or is longer than any spreadsheet's.
  absl::StatusOr<int> Read(int limit, google::protobuf::Message& into);

 private:
  RowFile(std::string path, RowKind kind, std::string digest, int64_t bytes);
  absl::Status ReadHeading();
  absl::Status Take(const CsvRecord& record, google::protobuf::Message& row);

  const std::string path_;
  const RowKind kind_;
  const std::string name_;
  const std::string digest_;
  const int64_t bytes_;
  std::ifstream file_;
  CsvReader reader_;
  // The field of each column of the file; null for one that is left out.
  std::vector<const google::protobuf::FieldDescriptor*> columns_;
  std::vector<std::string> unknown_;
  int64_t rows_ = 0;
};

}  // namespace mtp::cli

#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/csv.h"
#include "google/protobuf/descriptor.h"
#include "mtp/order/v1/plans.pb.h"

namespace mtp::cli {

// A planning department's export, read in pieces of any size: however large it
// is, only one piece is in memory.
class PlanFile {
 public:
  // Reads the whole file once for its digest, then the heading, whose names
  // are the columns of PlanRow in any order and case. INVALID_ARGUMENT: it
  // cannot be read, or a column is missing.
  static absl::StatusOr<std::unique_ptr<PlanFile>> Open(
      const std::string& path);

  // Without folders.
  const std::string& name() const { return name_; }
  // SHA-256 in lower-case hexadecimal digits.
  const std::string& digest() const { return digest_; }
  // Names in the heading that are no column and are left out.
  const std::vector<std::string>& unknown_columns() const { return unknown_; }
  int64_t bytes() const { return bytes_; }
  int64_t bytes_read() const { return reader_.bytes_read(); }
  int64_t rows_read() const { return rows_; }

  // Adds up to `limit` rows; how many. INVALID_ARGUMENT names the line that is
  // no row of this file: another number of cells, or not UTF-8.
  absl::StatusOr<int> Read(int limit, order::v1::ImportPlansRequest& into);

 private:
  PlanFile(std::string path, std::string digest, int64_t bytes);
  absl::Status ReadHeading();
  absl::Status Take(const CsvRecord& record, order::v1::PlanRow& row);

  const std::string path_;
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

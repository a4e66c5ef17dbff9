#pragma once

#include <string>

// Files as planning departments and old systems write them, as large as asked.
namespace mtp::tests {

// A file that is gone with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Rows of an order in the planning file.
inline constexpr int kRowsOfOrder = 5;

// A planning file with so many rows, of orders `NAME-0`, `NAME-1`, …, each with
// 4,240 kg.
std::string PlanFile(const std::string& name, int rows);
// So many open orders of 1.5 kg each, spread over the same order codes, with
// references of that name.
std::string OpenOrderFile(const std::string& name, int rows);

}  // namespace mtp::tests

#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/base/uuid.h"
#include "common/db/params.h"
#include "common/db/working_set.h"
#include "google/protobuf/repeated_field.h"

namespace mtp::order {

// The rows of a file that an import keeps as they came. Written straight out of
// the call's message, for there may be a million of them, some thousand at a
// time. `Row` has a line_number and texts. Only for calls that are a batch by
// themselves.
template <typename Row>
class RawRows : public db::Member {
 public:
  using File = google::protobuf::RepeatedPtrField<Row>;
  using Text = const std::string& (Row::*)() const;

  // `insert` takes the import's id, the array of lines and one array for each
  // of the texts.
  RawRows(db::WorkingSet& set, db::Statement insert, std::vector<Text> texts)
      : Member(set), insert_(insert), texts_(std::move(texts)) {}

  // The file stays where it is until the batch ends.
  void Append(const Uuid& import_id, const File& file) {
    import_id_ = import_id;
    file_ = &file;
  }
  size_t size() const {
    return file_ == nullptr ? 0 : static_cast<size_t>(file_->size());
  }

  void AddLoads(db::Exchange&) override {}
  void TakeLoads(const db::Results&, size_t&) override {}
  void AddStores(db::Exchange& exchange) override {
    for (size_t at = 0; at < size(); at += kRowsInStatement) {
      const std::span<const Row* const> rows(
          file_->data() + at, std::min(kRowsInStatement, size() - at));
      db::Params params;
      params.Add(import_id_).Array(rows, &Row::line_number);
      for (const Text text : texts_) params.Array(rows, text);
      exchange.Add(insert_, std::move(params));
    }
  }
  void Keep() override { kept_ = true; }
  void Undo() override {
    if (!kept_) file_ = nullptr;
  }
  void Clear() override {
    file_ = nullptr;
    kept_ = false;
  }

 private:
  // Enough to make the cost of a statement small, few enough that its arrays
  // are.
  static constexpr size_t kRowsInStatement = 5'000;

  const db::Statement insert_;
  const std::vector<Text> texts_;
  Uuid import_id_;
  const File* file_ = nullptr;
  bool kept_ = false;
};

}  // namespace mtp::order

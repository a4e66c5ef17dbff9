#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/db/value.h"

namespace mtp::db {

// The parameters of one statement, in PostgreSQL's binary format, in the order
// $1, $2, … A value type.
class Params {
 public:
  // One value; std::nullopt is NULL.
  template <typename T>
  Params& Add(const T& value) {
    if constexpr (IsOptional<T>::value) {
      if (!value.has_value()) {
        values_.push_back(std::nullopt);
        return *this;
      }
      return Add(*value);
    } else {
      Codec<typename Wire<T>::Type>::Encode(
          values_.emplace_back(std::in_place).value(), value);
      return *this;
    }
  }

  // An array with one element per row: what `projection` (a member pointer or a
  // function) makes of it. Rows may be values or pointers.
  template <typename Rows, typename Projection>
  Params& Array(const Rows& rows, Projection projection) {
    using Row = decltype(*std::begin(rows));
    using Element = std::remove_cvref_t<std::invoke_result_t<Projection, Row>>;
    ArrayWriter writer(values_.emplace_back(std::in_place).value(),
                       std::size(rows), ElementOid<Element>());
    for (const auto& row : rows)
      AppendElement(writer, std::invoke(projection, row));
    return *this;
  }

  // An array of the values themselves.
  template <typename Values>
  Params& Array(const Values& values) {
    return Array(
        values, [](const auto& value) -> const auto& { return value; });
  }

  size_t size() const { return values_.size(); }
  const std::optional<std::string>& operator[](size_t i) const {
    return values_[i];
  }

 private:
  class ArrayWriter {
   public:
    ArrayWriter(std::string& out, size_t count, uint32_t element_oid);
    std::string& out;
  };

  template <typename Element>
  static constexpr uint32_t ElementOid() {
    if constexpr (IsOptional<Element>::value) {
      return Codec<typename Wire<typename Element::value_type>::Type>::kOid;
    } else {
      return Codec<typename Wire<Element>::Type>::kOid;
    }
  }

  template <typename T>
  static void AppendElement(ArrayWriter& writer, const T& value) {
    if constexpr (IsOptional<T>::value) {
      if (!value.has_value()) {
        AppendBigEndian<int32_t>(writer.out, -1);
        return;
      }
      AppendElement(writer, *value);
    } else {
      const size_t length_at = writer.out.size();
      AppendBigEndian<int32_t>(writer.out, 0);
      Codec<typename Wire<T>::Type>::Encode(writer.out, value);
      PatchLength(writer.out, length_at);
    }
  }
  static void PatchLength(std::string& out, size_t length_at);

  std::vector<std::optional<std::string>> values_;
};

}  // namespace mtp::db

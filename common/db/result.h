#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/db/value.h"

namespace mtp::db {

class Result;

// One row of a result; valid as long as the result.
class Row {
 public:
  Row(const PGresult* result, int row) : result_(result), row_(row) {}

  // Reads the columns in the order they were selected, each into a variable of
  // its type; std::optional takes NULL. A statement whose columns do not fit
  // the variables is a mistake in the code: the process ends and names it.
  template <typename... Ts>
  void Into(Ts&... targets) const {
    ExpectColumns(sizeof...(Ts));
    int column = 0;
    (Read(column++, targets), ...);
  }

  template <typename T>
  T Get(int column) const {
    T value{};
    Read(column, value);
    return value;
  }

 private:
  template <typename T>
  void Read(int column, T& target) const {
    if constexpr (IsOptional<T>::value) {
      if (IsNull(column)) {
        target.reset();
      } else {
        Read(column, target.emplace());
      }
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      ExpectType(column, kTextArrayOid);
      ReadTextArray(Raw(column), target);
    } else {
      using Type = typename Wire<T>::Type;
      ExpectType(column, Codec<Type>::kOid);
      target = static_cast<T>(Codec<Type>::Decode(Raw(column)));
    }
  }
  bool IsNull(int column) const {
    return PQgetisnull(result_, row_, column) != 0;
  }
  std::string_view Raw(int column) const {
    return {PQgetvalue(result_, row_, column),
            static_cast<size_t>(PQgetlength(result_, row_, column))};
  }
  void ExpectColumns(size_t count) const;
  void ExpectType(int column, uint32_t oid) const;
  static void ReadTextArray(std::string_view raw,
                            std::vector<std::string>& target);

  const PGresult* result_;
  int row_;
};

// The rows a statement returned. Movable.
class Result {
 public:
  explicit Result(PGresult* result) : result_(result, &PQclear) {}

  int size() const { return PQntuples(result_.get()); }
  bool empty() const { return size() == 0; }
  Row operator[](int row) const { return {result_.get(), row}; }
  // How many rows an INSERT, UPDATE or DELETE touched.
  int64_t affected() const;

  class Iterator {
   public:
    Iterator(const PGresult* result, int row) : result_(result), row_(row) {}
    Row operator*() const { return {result_, row_}; }
    Iterator& operator++() {
      ++row_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return row_ != other.row_; }

   private:
    const PGresult* result_;
    int row_;
  };
  Iterator begin() const { return {result_.get(), 0}; }
  Iterator end() const { return {result_.get(), size()}; }

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

}  // namespace mtp::db
